"""The figures of dashboards: all derived from coverage, each in one query.

Callers have checked who may see them (``podcasts.access``). A download belongs to the UTC day and
hour in which the listener's first request began. It stays in every sum when its episode or show is
deleted for good; lists that name episodes and shows leave out what has no name any more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self, cast
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncHour

from apps.downloads.models import Coverage, DropTally
from apps.downloads.rules import DropReason

# Beside the reasons of rules.DropReason: what was kept, but is no download (yet).
BELOW_THRESHOLD = "below_threshold"
QUARANTINED = "quarantined"
_KEPT_LABELS = {
    BELOW_THRESHOLD: "Less than a minute of audio was sent",
    QUARANTINED: "Very many downloads from one address: waiting for review",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Of what: one show, one episode, an organisation, or (nothing named) the whole platform."""

    show: UUID | None = None
    episode: UUID | None = None
    organization: UUID | None = None

    @property
    def condition(self) -> Q:
        """The rows of this scope."""
        found = Q()
        if self.show:
            found &= Q(show_id=self.show)
        if self.episode:
            found &= Q(episode_id=self.episode)
        if self.organization:
            found &= Q(organization_id=self.organization)
        return found


PLATFORM = Scope()


@dataclass(frozen=True, slots=True)
class Period:
    """Whole UTC days, both ends included."""

    first: date
    last: date

    @classmethod
    def last_days(cls, count: int, *, today: date) -> Self:
        """The ``count`` days that end with today."""
        return cls(today - timedelta(days=count - 1), today)

    @property
    def previous(self) -> Self:
        """As many days, just before."""
        length = self.last - self.first + timedelta(days=1)
        return type(self)(self.first - length, self.last - length)

    def days(self) -> Iterator[date]:
        """Every day, in order."""
        for number in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=number)

    @property
    def condition(self) -> Q:
        """The rows of these days."""
        return Q(day__range=(self.first, self.last))


@dataclass(frozen=True, slots=True)
class Headline:
    """The first figures that somebody sees, each beside the period before."""

    today: int
    yesterday: int
    last_7: int
    previous_7: int
    last_30: int
    previous_30: int


@dataclass(frozen=True, slots=True)
class DayTotal:
    """``listeners`` are distinct addresses with their user agents on that day."""

    day: date
    downloads: int
    listeners: int


@dataclass(frozen=True, slots=True)
class HourTotal:
    """``hour`` is its beginning."""

    hour: datetime
    downloads: int


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a table of apps, countries or devices; ``name`` is "" for unknown."""

    name: str
    downloads: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of a table of shows or episodes."""

    id: UUID
    title: str
    downloads: int


@dataclass(frozen=True, slots=True)
class LatestDownload:
    """One line of the list of what was counted just now."""

    at: datetime
    show: UUID
    show_title: str
    episode: UUID
    episode_title: str
    app: str
    device: str
    country: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Why requests were not counted, and how many (or for what was kept: how many listeners)."""

    reason: str
    label: str
    count: int


def _coverage(scope: Scope) -> QuerySet[Coverage]:
    return Coverage.objects.filter(scope.condition)


def _downloads(scope: Scope, period: Period) -> QuerySet[Coverage]:
    return _coverage(scope).filter(period.condition, counted_at__isnull=False)


def headline(scope: Scope, *, today: date) -> Headline:
    """Today, 7 and 30 days (today included), and the same before."""
    week, month = Period.last_days(7, today=today), Period.last_days(30, today=today)
    parts = {
        "today": Q(day=today),
        "yesterday": Q(day=today - timedelta(days=1)),
        "last_7": week.condition,
        "previous_7": week.previous.condition,
        "last_30": month.condition,
        "previous_30": month.previous.condition,
    }
    found = _downloads(scope, Period(month.previous.first, today)).aggregate(
        **{name: Count("id", filter=condition) for name, condition in parts.items()}
    )
    return Headline(**found)


def daily(scope: Scope, period: Period) -> list[DayTotal]:
    """Every day of the period, also those without downloads."""
    rows = (
        _downloads(scope, period)
        .values_list("day")
        .annotate(downloads=Count("id"), listeners=Count("listener_key", distinct=True))
        .order_by()
    )
    found = {day: DayTotal(day, downloads, listeners) for day, downloads, listeners in rows}
    return [found.get(day, DayTotal(day, 0, 0)) for day in period.days()]


def hourly(scope: Scope, *, now: datetime, hours: int = 24) -> list[HourTotal]:
    """The last ``hours`` hours, the current one included, also those without downloads."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=hours - 1)
    rows = (
        _downloads(scope, Period(first.date(), now.astimezone(UTC).date()))
        .filter(first_at__gte=first)
        .values_list(TruncHour("first_at", tzinfo=UTC))
        .annotate(downloads=Count("id"))
        .order_by()
    )
    found = dict(rows)
    slots = [first + timedelta(hours=number) for number in range(hours)]
    return [HourTotal(hour, found.get(hour, 0)) for hour in slots]


def top_episodes(scope: Scope, period: Period, *, limit: int = 10) -> list[Ranked]:
    """The most downloaded episodes."""
    return _ranked(scope, period, "episode", limit)


def top_shows(scope: Scope, period: Period, *, limit: int = 10) -> list[Ranked]:
    """The most downloaded shows."""
    return _ranked(scope, period, "show", limit)


def _ranked(scope: Scope, period: Period, of: str, limit: int) -> list[Ranked]:
    rows = (
        _downloads(scope, period)
        .values_list(f"{of}_id", f"{of}__title")
        .annotate(downloads=Count("id"))
        .order_by("-downloads", f"{of}__title", f"{of}_id")[:limit]
    )
    return [Ranked(*row) for row in rows]


def top_apps(scope: Scope, period: Period, *, limit: int = 10) -> list[Share]:
    """The apps (or browsers, or libraries) that downloaded most."""
    return _shares(scope, period, "app", limit)


def top_devices(scope: Scope, period: Period, *, limit: int = 10) -> list[Share]:
    """The devices that downloaded most."""
    return _shares(scope, period, "device", limit)


def top_countries(scope: Scope, period: Period, *, limit: int = 10) -> list[Share]:
    """The countries, as ISO 3166-1 codes, that downloaded most."""
    return _shares(scope, period, "country", limit)


def _shares(scope: Scope, period: Period, of: str, limit: int) -> list[Share]:
    rows = (
        _downloads(scope, period)
        .values_list(of)
        .annotate(downloads=Count("id"))
        .order_by("-downloads", of)[:limit]
    )
    return [Share(*row) for row in rows]


def latest(scope: Scope, *, limit: int = 20) -> list[LatestDownload]:
    """What was counted last, newest first."""
    rows = (
        _coverage(scope)
        .filter(counted_at__isnull=False)
        .order_by("-counted_at", "-id")
        .values_list(
            "counted_at",
            "show_id",
            "show__title",
            "episode_id",
            "episode__title",
            "app",
            "device",
            "country",
        )[:limit]
    )
    return [LatestDownload(*row) for row in cast("Iterable[tuple[Any, ...]]", rows)]


def dropped(scope: Scope, period: Period) -> list[Dropped]:
    """Why requests were not counted, most frequent first."""
    kept = _coverage(scope).filter(period.condition, counted_at__isnull=True)
    quarantined = Q(quarantined_at__isnull=False)
    parts = [
        DropTally.objects.filter(scope.condition, period.condition)
        .values_list("reason")
        .annotate(total=Sum("count")),
        kept.filter(quarantined).values_list(Value(QUARANTINED)).annotate(total=Count("id")),
        kept.exclude(quarantined)
        .filter(served_bytes__lt=F("threshold_bytes"))
        .values_list(Value(BELOW_THRESHOLD))
        .annotate(total=Count("id")),
    ]
    first, *others = (part.order_by() for part in parts)
    rows = sorted(first.union(*others, all=True), key=lambda row: (-row[1], row[0]))
    return [Dropped(reason, drop_label(reason), int(count)) for reason, count in rows if count]


def drop_label(reason: str) -> str:
    """A reason in words."""
    return _KEPT_LABELS.get(reason) or DropReason(reason).label
