"""Which rows of a list are wanted: filters of django-filter, refused with the parameter's name."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError as FormError
from django.db.models import Model, QuerySet
from django.forms import IntegerField
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import (
    CharFilter,
    DjangoFilterBackend,
    IsoDateTimeFilter,
    NumberFilter,
)
from rest_framework.exceptions import ValidationError

from api.base.parameters import ParametersError, refuse_empty
from apps.core.clock import in_utc


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


class _MomentField(IsoDateTimeField):
    def to_python(self, value: Any) -> datetime | None:
        moment: datetime | None = super().to_python(value)
        try:
            return moment and in_utc(moment)
        except OverflowError as error:
            raise FormError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(IsoDateTimeFilter):
    """Of moments as RFC 3339 writes them, with any of its offsets; without one in UTC."""

    field_class: Any = _MomentField
