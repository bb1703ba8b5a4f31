"""The random keys of days: made on first use, destroyed when the day is closed."""

from collections.abc import Collection
from datetime import date, datetime

from apps.downloads.keys import new_day_key
from apps.downloads.models import DayKey
from apps.downloads.window import last_expired_day


def keys_for(days: Collection[date]) -> dict[date, bytes]:
    """The keys of these (open) days; a day without one gets one.

    Nothing is cached: a destroyed key must not live on in a process's memory.
    """
    keys = _existing(days)
    missing = [DayKey(day=day, key=new_day_key()) for day in days if day not in keys]
    if missing:
        DayKey.objects.bulk_create(missing, ignore_conflicts=True)
        keys = _existing(days)
    return keys


def _existing(days: Collection[date]) -> dict[date, bytes]:
    return {row.day: bytes(row.key) for row in DayKey.objects.filter(day__in=days)}


def destroy_expired(*, now: datetime) -> int:
    """Delete the keys whose time is over; how many there were."""
    deleted, _ = DayKey.objects.filter(day__lte=last_expired_day(now)).delete()
    return deleted
