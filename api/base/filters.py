"""Which rows of a list are wanted: filters of django-filter, refused with the parameter's name."""

from typing import Any

from django.db.models import Model, QuerySet
from django.forms import IntegerField
from django_filters.rest_framework import CharFilter, DjangoFilterBackend, NumberFilter
from rest_framework.exceptions import ValidationError

from api.base.parameters import ParametersError, refuse_empty


def filter_parameters(view: Any) -> list[str]:
    """The names of the view's filters."""
    filterset = getattr(view, "filterset_class", None)
    return list(filterset.base_filters) if filterset else []


def filtered[M: Model](view: Any, rows: QuerySet[M]) -> QuerySet[M]:
    """The rows that the request asks for; raises ParametersError."""
    if view.request.query_params.keys().isdisjoint(filter_parameters(view)):
        return rows  # a filterset is a form, which takes time to make
    filters = view.filterset_class.base_filters.items()
    refuse_empty(view.request, [name for name, one in filters if not isinstance(one, CharFilter)])
    try:
        return DjangoFilterBackend().filter_queryset(view.request, rows, view)
    except ValidationError as error:
        raise ParametersError(error) from error


class IntegerFilter(NumberFilter):
    """Of whole numbers: django-filter's own takes 0.5 for one."""

    field_class: Any = IntegerField
