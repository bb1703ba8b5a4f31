"""Adding up all downloads anew, to compare with the totals or to put in their place."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection, transaction

from apps.downloads import first_days, listeners, rollups, shadow
from apps.downloads.models import DayTotal, FirstDays, HourTotal, ListenerTotal, MonthTotal
from apps.downloads.shadow import Model, shadow_of

_TOTALS: tuple[Model, ...] = (HourTotal, DayTotal, MonthTotal, ListenerTotal, FirstDays)
# What a total is of, and what it says.
_COLUMNS: Mapping[Model, str] = {
    HourTotal: "organization_id, show_id, episode_id, hour, downloads, provisional",
    DayTotal: "organization_id, show_id, episode_id, dimension, value, day, downloads, provisional",
    MonthTotal: (
        "organization_id, show_id, episode_id, dimension, value, month, downloads, provisional"
    ),
    ListenerTotal: "organization_id, show_id, day, listeners",
    FirstDays: "show_id, episode_id, days, since, downloads",
}
_DIFFERENT = """
SELECT count(*) FROM (
    (SELECT {columns} FROM {one} WHERE {value} <> 0 EXCEPT ALL SELECT {columns} FROM {other})
) AS different
"""

_EMPTY = "DELETE FROM {real}"
_FILL = "INSERT INTO {table} ({columns}) SELECT {columns} FROM {other}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one table: rows that the totals have and the downloads don't say, and the other way."""

    table: str
    wrong: int
    missing: int


@transaction.atomic
def rebuild(*, replace: bool) -> list[Difference]:
    """Add up every download; how the totals differed, one entry for each table.

    With ``replace`` the new ones take their place. Nobody counts meanwhile. Raises BusyError when
    somebody counts for long.
    """
    shadow.stop_counting()
    first_days.wait_for_turn()
    shadow.create(_TOTALS)
    _fill(shadow_of(FirstDays), FirstDays._meta.db_table, _COLUMNS[FirstDays])
    with shadow.hiding(_TOTALS):
        rollups.add_all()
        listeners.add_all_to_days()
        first_days.add_up_all()  # what is kept of them, no more
    differences = [_difference(model) for model in _TOTALS]
    if replace:
        for model in _TOTALS:
            _replace(model)
    shadow.drop(_TOTALS)
    return differences


def _difference(model: Model) -> Difference:
    real, new = model._meta.db_table, shadow_of(model)
    return Difference(real, _only_in(model, real, new), _only_in(model, new, real))


def _only_in(model: Model, one: str, other: str) -> int:
    value = "listeners" if model is ListenerTotal else "downloads"
    with connection.cursor() as cursor:
        cursor.execute(
            _DIFFERENT.format(columns=_COLUMNS[model], one=one, other=other, value=value)
        )
        return int(cursor.fetchone()[0])


def _replace(model: Model) -> None:
    real = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY.format(real=real))
    _fill(real, shadow_of(model), _COLUMNS[model])


def _fill(table: str, other: str, columns: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FILL.format(table=table, other=other, columns=columns))
