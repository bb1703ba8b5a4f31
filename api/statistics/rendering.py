"""Rows of a chart as CSV, for whoever accepts nothing else."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from rest_framework.renderers import BaseRenderer

from api.base.rendering import to_json
from apps.core.spreadsheets import csv_text


class CsvRenderer(BaseRenderer):
    """``text/csv``: the answer's ``rows`` below the names of their fields."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> bytes:
        """A refusal is a problem document all the same."""
        context = renderer_context or {}
        if context["response"].status_code != 200:
            return to_json(data)
        rows: list[Mapping[str, Any]] = data["rows"]
        names = list(context["view"].answer().fields["rows"].child.fields)
        lines = [names, *([_plain(row[name]) for name in names] for row in rows)]
        return csv_text(lines).encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
