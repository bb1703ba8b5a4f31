"""Which rows of a list are wanted: filters of django-filter, refused with the parameter's name."""

from typing import Any

from django.db.models import Model, QuerySet
from django.forms import IntegerField
from django_filters.rest_framework import CharFilter, DjangoFilterBackend, NumberFilter
from rest_framework.exceptions import ValidationError

from api.base.parameters import ParameterError, ParametersError


def filter_parameters(view: Any) -> list[str]:
    """The names of the view's filters."""
    filterset = getattr(view, "filterset_class", None)
    return list(filterset.base_filters) if filterset else []


def filtered[M: Model](view: Any, rows: QuerySet[M]) -> QuerySet[M]:
    """The rows that the request asks for; raises ParametersError."""
    if view.request.query_params.keys().isdisjoint(filter_parameters(view)):
        return rows  # a filterset is a form, which takes time to make
    _refuse_empty(view)
    try:
        return DjangoFilterBackend().filter_queryset(view.request, rows, view)
    except ValidationError as error:
        raise ParametersError(error) from error


def _refuse_empty(view: Any) -> None:
    """``?show=`` would be no filter at all, and answer with everything; only texts may be empty."""
    for name, found in view.filterset_class.base_filters.items():
        is_text = isinstance(found, CharFilter)
        if not is_text and view.request.query_params.get(name) == "":
            detail = f"Give “{name}” a value, or leave it out."
            raise ParameterError(name, "required", detail)


class IntegerFilter(NumberFilter):
    """Of whole numbers: django-filter's own takes 0.5 for one."""

    field_class: Any = IntegerField
