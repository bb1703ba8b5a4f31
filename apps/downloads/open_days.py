"""The days that can still be counted: each with a random key and its partitions, or with neither.

A key's row says that the day's partitions exist, since both are made and destroyed together.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from apps.downloads import partitions, shadow
from apps.downloads.keys import new_key
from apps.downloads.locks import waiting_briefly
from apps.downloads.models import ClosedDay, DayKey
from apps.downloads.window import last_expired_day

DAYS_AHEAD = 2

# Of this installation's database; the number means nothing but must never change.
_LOCK = 0x4C6F6E67_44617973


def keys_for(days: Collection[date]) -> dict[date, bytes]:
    """The keys of these days; a day without one is opened, unless it was closed already.

    To be called before anything else of a transaction, for it may make partitions. Nothing is
    cached: a destroyed key must not live on in a process's memory.
    """
    keys = existing_keys(days)
    missing = set(days) - keys.keys()
    if missing and (unopened := missing - _closed(missing)):
        _open(unopened)
        keys = existing_keys(days)
    return keys


def existing_keys(days: Collection[date]) -> dict[date, bytes]:
    """The keys of those among these days that are open."""
    rows = DayKey.objects.filter(day__in=days).exclude(day__in=ClosedDay.objects.values("day"))
    return {row.day: bytes(row.key) for row in rows}


def _closed(days: Collection[date]) -> set[date]:
    return set(ClosedDay.objects.filter(day__in=days).values_list("day", flat=True))


@transaction.atomic
def open_ahead(*, today: date) -> None:
    """Open today and the days to come, so that no batch waits for it at midnight.

    Raises BusyError when somebody uses the tables for long.
    """
    with waiting_briefly():
        shadow.wait_for_recounts()
        keys_for({today + timedelta(days=number) for number in range(DAYS_AHEAD + 1)})


@transaction.atomic
def _open(days: Collection[date]) -> None:
    _wait_for_turn()
    known = existing_keys(days)
    for day in sorted(set(days) - known.keys()):
        partitions.create(day)
        DayKey.objects.create(day=day, key=new_key())


@transaction.atomic
def close(day: date) -> None:
    """Take no more hits of the day, whatever time it is for whoever counts them.

    Batches that are being counted are waited for. Raises BusyError when one takes long.
    """
    shadow.stop_counting()
    ClosedDay.objects.get_or_create(day=day)


@transaction.atomic
def destroy(day: date) -> None:
    """Forget the key of a closed day and all that is held under it.

    Raises BusyError when somebody uses the tables for long.
    """
    with waiting_briefly():
        shadow.wait_for_recounts()
        _wait_for_turn()
        DayKey.objects.filter(day=day).delete()
        partitions.drop(day)


def expired(*, now: datetime) -> list[date]:
    """The days whose time is over but whose keys still exist, oldest first."""
    days = DayKey.objects.filter(day__lte=last_expired_day(now))
    return list(days.order_by("day").values_list("day", flat=True))


def _wait_for_turn() -> None:
    """One process at a time opens or closes days."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
