"""Which days are asked for: read from the address, and refused with a sentence if they can't be."""

from datetime import date, timedelta
from typing import Any

from rest_framework import serializers

from api.base.parameters import ParameterError
from apps.downloads.charts import EARLIEST, LONGEST_DAYS, Grain
from apps.downloads.totals import Period

DEFAULT_DAYS = 30
MOST_HOURS = 31 * 24


class NoQuery(serializers.Serializer[Any]):
    """What needs no parameter."""


class PeriodQuery(serializers.Serializer[Any]):
    """A period: ``days``, or ``from`` and perhaps ``to``."""

    days = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_DAYS,
        help_text=f"So many days, today included. Without a period: {DEFAULT_DAYS}.",
    )

    def get_fields(self) -> dict[str, "serializers.Field[Any, Any, Any, Any]"]:
        """With ``from``, which can't be an attribute."""
        return {
            "from": serializers.DateField(required=False, help_text="The first day."),
            "to": serializers.DateField(
                required=False,
                help_text="The last day, this one included; today unless given, and at most.",
            ),
            **super().get_fields(),
        }


class TimeQuery(PeriodQuery):
    """A period, and in which steps."""

    grain = serializers.ChoiceField(
        choices=[grain.value for grain in Grain],
        default=Grain.DAY.value,
        help_text="How much time one row stands for; weeks begin on Monday (ISO 8601).",
    )


class HoursQuery(serializers.Serializer[Any]):
    """How far back."""

    hours = serializers.IntegerField(
        default=48,
        min_value=1,
        max_value=MOST_HOURS,
        help_text="So many hours, the running one included.",
    )


def period_of(asked: dict[str, Any], *, today: date) -> Period:
    """The period that a PeriodQuery names, in the days of whoever's today it is.

    Raises ParameterError.
    """
    first: date | None = asked.get("from")
    last: date | None = asked.get("to")
    days: int | None = asked.get("days")
    if first is None:
        if last is not None:
            raise ParameterError("from", "required", "Say with which day the period begins.")
        return Period.last_days(days or DEFAULT_DAYS, today=today)
    if days is not None:
        raise ParameterError("days", "contradictory", "Give either days or from and to.")
    if first > today:
        raise ParameterError("from", "in_the_future", f"Today is {today}: this has not begun yet.")
    if last is not None and first > last:
        raise ParameterError("from", "after_the_last", "The first day is after the last one.")
    if first < EARLIEST:
        raise ParameterError("from", "too_early", f"Choose days from {EARLIEST} on.")
    period = Period(first, min(last or today, today))
    if period.last - period.first >= timedelta(days=LONGEST_DAYS):
        raise ParameterError("from", "too_long", f"A period has at most {LONGEST_DAYS} days.")
    return period
