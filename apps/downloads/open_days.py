"""The days that can still be counted: each with a random key and its partitions, or with neither.

A key's row says that the day's partitions exist, since both are made and destroyed together.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from apps.downloads import partitions
from apps.downloads.keys import new_key
from apps.downloads.models import DayKey
from apps.downloads.window import last_expired_day

DAYS_AHEAD = 2

# Of this installation's database; the number means nothing but must never change.
_LOCK = 0x4C6F6E67_44617973


def keys_for(days: Collection[date]) -> dict[date, bytes]:
    """The keys of these days, which the caller knows to be open; a day without one is opened.

    To be called before anything else of a transaction, for it may make partitions. Nothing is
    cached: a destroyed key must not live on in a process's memory.
    """
    keys = existing_keys(days)
    missing = [day for day in days if day not in keys]
    if missing:
        _open(missing)
        keys = existing_keys(days)
    return keys


def existing_keys(days: Collection[date]) -> dict[date, bytes]:
    """The keys of those among these days that are open."""
    return {row.day: bytes(row.key) for row in DayKey.objects.filter(day__in=days)}


def open_ahead(*, today: date) -> None:
    """Open today and the days to come, so that no batch waits for it at midnight."""
    keys_for({today + timedelta(days=number) for number in range(DAYS_AHEAD + 1)})


@transaction.atomic
def _open(days: Collection[date]) -> None:
    _wait_for_turn()
    known = existing_keys(days)
    for day in sorted(set(days) - known.keys()):
        partitions.create(day)
        DayKey.objects.create(day=day, key=new_key())


@transaction.atomic
def destroy(day: date) -> bool:
    """Forget the day's key and all that is held under it; whether it was there."""
    _wait_for_turn()
    deleted, _ = DayKey.objects.filter(day=day).delete()
    partitions.drop(day)
    return bool(deleted)


def expired(*, now: datetime) -> list[date]:
    """The days whose time is over but whose keys still exist, oldest first."""
    days = DayKey.objects.filter(day__lte=last_expired_day(now))
    return list(days.order_by("day").values_list("day", flat=True))


def _wait_for_turn() -> None:
    """One process at a time opens or closes days."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
