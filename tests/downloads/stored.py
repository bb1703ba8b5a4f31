"""What is in the tables of downloads, in the form in which the oracle says it."""

from collections import Counter
from typing import Any

from django.db import models

from apps.downloads import rollups
from apps.downloads.models import (
    Coverage,
    DayTotal,
    DropTally,
    HourTotal,
    ListenerTotal,
    MonthTotal,
)
from apps.downloads.models import Download as Row
from tests.downloads.oracle import Count, Download, Totals, days, hours, months

_SCOPE = ("organization", "show", "episode")


def assert_counted(expected: Count) -> None:
    """Everything that was counted is what the oracle says, and what the downloads add up to."""
    downloads = Counter(expected.downloads.values())
    assert stored_downloads() == downloads
    assert stored_totals() == {
        "hours": hours(downloads.elements()),
        "days": days(downloads.elements()),
        "months": months(downloads.elements()),
    }
    of_days = ListenerTotal.objects.values_list("organization", "show", "day", "listeners")
    assert {tuple(key): found for *key, found in of_days} == expected.listeners()
    tallies = DropTally.objects.exclude(reason="below_threshold")
    assert {
        tuple(key): found for *key, found in tallies.values_list("day", *_SCOPE, "reason", "count")
    } == expected.drops


def assert_unfinished(expected: Count) -> None:
    """Of closed days: how many listeners of each episode got too little."""
    tallies = DropTally.objects.filter(reason="below_threshold")
    found = {
        (day, episode): number
        for day, episode, number in tallies.values_list("day", "episode", "count")
    }
    assert found == expected.unfinished()


def assert_totals_rebuild() -> None:
    """A roll-up from nothing gives the totals that are there."""
    before = stored_totals()
    for model in (HourTotal, DayTotal, MonthTotal):
        model._default_manager.all().delete()
    rollups.add_all()
    assert stored_totals() == before


def assert_covered(expected: Count) -> None:
    """Each listener's bytes of each file version are all there."""
    assert Counter(
        (row.day, row.episode_id, row.rendition_id, row.threshold_bytes, row.first_at, row.served)
        for row in Coverage.objects.all()
    ) == Counter(
        (who.day, who.episode, rendition, file.threshold, min(file.begun), _runs(file.served))
        for (who, rendition), file in expected.files.items()
    )


def stored_downloads() -> Counter[Download]:
    """Those that count."""
    fields = Download._fields
    return Counter(map(Download._make, Row.objects.filter(held_address=None).values_list(*fields)))


def stored_totals() -> dict[str, Totals]:
    """Rows of nothing aside: a total that was corrected to none stays as a row."""
    return {
        "hours": _totals(HourTotal, "hour"),
        "days": _totals(DayTotal, "dimension", "value", "day"),
        "months": _totals(MonthTotal, "dimension", "value", "month"),
    }


def _totals(model: type[models.Model], *key: str) -> Totals:
    rows: Any = model._default_manager.values_list(*_SCOPE, *key, "downloads", "provisional")
    return {tuple(key): (all_, unsure) for *key, all_, unsure in rows if all_ or unsure}


def _runs(served: set[int]) -> tuple[tuple[int, int], ...]:
    """The same offsets as intervals."""
    starts = sorted(byte for byte in served if byte - 1 not in served)
    ends = sorted(byte + 1 for byte in served if byte + 1 not in served)
    return tuple(zip(starts, ends, strict=True))
