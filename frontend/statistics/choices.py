"""What somebody chose to see: read from the address, with something sensible for nonsense."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from apps.downloads.charts import EARLIEST, LONGEST_DAYS, Grain
from apps.downloads.totals import Period

PERIODS = (
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("year", "This year"),
    ("all", "All time"),
)
HOURS, DEFAULT_HOURS = (("48", "48 hours"), ("168", "7 days")), 48
DEFAULT_CURVE_DAYS = 7
CURVE_DAYS = (("2", "2 days"), ("7", "7 days"), ("30", "30 days"), ("90", "90 days"))

_DEFAULT = 30
# Of how many days a chart is still readable by the day, and from how many on a coarser one says
# anything.
_MOST_DAYS, _LEAST_FOR_WEEKS, _LEAST_FOR_MONTHS = 184, 14, 60
_MOST_WEEKS_DAYS = 1100


@dataclass(frozen=True, slots=True)
class Choice:
    """A period and how finely it is drawn; ``error`` says why it is not what was asked for."""

    key: str
    period: Period
    grain: Grain
    grains: tuple[Grain, ...]
    today: date
    error: str = ""

    @property
    def has_years(self) -> bool:
        """Whether a day and a month alone could be of several years."""
        return (self.period.last - self.period.first).days > 366

    @property
    def words(self) -> str:
        """As a part of a sentence: "1 Sep to 30 Sep 2026"."""
        first, last = self.period.first, self.period.last
        if first == last:
            return f"{last.day} {last:%b %Y}"
        year = "" if first.year == last.year else f" {first.year}"
        return f"{first.day} {first:%b}{year} to {last.day} {last:%b %Y}"


def choose(
    query: Mapping[str, str], *, today: date, first_day: Callable[[], date | None]
) -> Choice:
    """The period asked for; ``first_day`` is asked only for all time."""
    key = query.get("period", "")
    error = ""
    period = Period.last_days(_DEFAULT, today=today)
    if query.get("from") or query.get("to"):
        key, (period, error) = "custom", _custom(query, today, period)
    elif key == "year":
        period = Period(today.replace(month=1, day=1), today)
    elif key == "all":
        earliest = today - timedelta(days=LONGEST_DAYS)
        period = Period(max(first_day() or period.first, earliest), today)
    elif key in {"7", "90"}:
        period = Period.last_days(int(key), today=today)
    else:
        key = str(_DEFAULT)
    grains = _grains(period)
    wanted = query.get("by", "")
    grain = Grain(wanted) if wanted in grains else grains[0]
    return Choice(key, period, grain, grains, today, error)


def _custom(query: Mapping[str, str], today: date, otherwise: Period) -> tuple[Period, str]:
    try:
        first, last = (date.fromisoformat(query.get(name, "")) for name in ("from", "to"))
    except ValueError:
        return otherwise, "Choose both days of the period."
    if first > last:
        return otherwise, "The first day is after the last one."
    if first > today:
        return otherwise, "This period has not begun yet."
    last = min(last, today)
    if (last - first).days >= LONGEST_DAYS:
        return otherwise, "Choose at most ten years."
    if first < EARLIEST:
        return otherwise, f"Choose days from {EARLIEST.year} on."
    return Period(first, last), ""


def _grains(period: Period) -> tuple[Grain, ...]:
    days = (period.last - period.first).days + 1
    possible = (
        (Grain.DAY, days <= _MOST_DAYS),
        (Grain.WEEK, _LEAST_FOR_WEEKS <= days <= _MOST_WEEKS_DAYS),
        (Grain.MONTH, days >= _LEAST_FOR_MONTHS),
    )
    return tuple(grain for grain, is_possible in possible if is_possible)


def hours_of(query: Mapping[str, str]) -> int:
    """How many of the last hours to show."""
    wanted = query.get("hours", "")
    return int(wanted) if wanted in dict(HOURS) else DEFAULT_HOURS


def curve_days_of(query: Mapping[str, str]) -> int:
    """How many days after publication to compare."""
    wanted = query.get("days", "")
    return int(wanted) if wanted in dict(CURVE_DAYS) else DEFAULT_CURVE_DAYS
