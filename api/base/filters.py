"""Which rows of a list are wanted: filters of django-filter, refused with the parameter's name."""

from typing import Any

from django.db.models import Model, QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError

from api.base.problems import ProblemError, details


class FilterError(ProblemError):
    """Values of filters that can't be accepted."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        only_one = len(errors) == 1
        detail = errors[0]["detail"] if only_one else f"{len(errors)} parameters can’t be accepted."
        super().__init__(400, "invalid", detail)
        self.errors = errors


def filter_parameters(view: Any) -> list[str]:
    """The names of the view's filters."""
    filterset = getattr(view, "filterset_class", None)
    return list(filterset.base_filters) if filterset else []


def filtered[M: Model](view: Any, rows: QuerySet[M]) -> QuerySet[M]:
    """The rows that the request asks for; raises FilterError."""
    if view.request.query_params.keys().isdisjoint(filter_parameters(view)):
        return rows  # a filterset is a form, which takes time to make
    try:
        return DjangoFilterBackend().filter_queryset(view.request, rows, view)
    except ValidationError as error:
        raise FilterError(
            [
                {"parameter": found.pop("pointer").removeprefix("#/"), **found}
                for found in details(error.detail)
            ]
        ) from error
