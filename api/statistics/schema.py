"""How charts are described in the OpenAPI document: by their ``query`` and their ``answer``."""

from typing import Any

from drf_spectacular.types import OpenApiTypes

from api.base.schema import AutoSchema


class ChartSchema(AutoSchema):
    """For views that are derived from ``views.StatisticsView``."""

    view: Any  # a StatisticsView

    def get_override_parameters(self) -> Any:
        """What may stand behind the question mark."""
        return [self.view.query] if self.view.query().fields else []

    def get_response_serializers(self) -> Any:
        """The numbers, or only their rows as a table."""
        answer = self.view.answer
        if not self.view.has_csv:
            return answer
        return {(200, "application/json"): answer, (200, "text/csv"): OpenApiTypes.STR}

    def _is_list_view(self, serializer: Any = None) -> bool:
        return hasattr(self.view, "pagination_class")
