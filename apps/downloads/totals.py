"""The figures of dashboards: read from the roll-ups, each in one query.

Callers have checked who may see them (``podcasts.access``). A download belongs to the hour, and to
the day in its show's time zone, in which the listener's first request began; the platform's days
are UTC's. It stays in every sum when its episode or show is deleted for good; lists that name
episodes and shows leave out what has no name any more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self, cast
from uuid import UUID

from django.db.models import Q, QuerySet, Sum, Value

from apps.downloads.models import DayTotal as DayRow
from apps.downloads.models import Dimension, Download, ListenerTotal


@dataclass(frozen=True, slots=True)
class Scope:
    """Of what: one show, an episode of it, an organisation, or (nothing named) the whole platform.

    An episode is named with its show, by which rows are found. An organisation's sums of a period
    are of other days where a show is at home in a zone in which it is tomorrow already (``ahead``)
    or still yesterday (``behind``).
    """

    show: UUID | None = None
    episode: UUID | None = None
    organization: UUID | None = None
    ahead: frozenset[UUID] = frozenset()
    behind: frozenset[UUID] = frozenset()

    def __post_init__(self) -> None:
        if self.episode and not self.show:
            raise ValueError("an episode is named with its show")

    @property
    def total(self) -> Q:
        """The rows of totals that add up to this scope: an organisation's are its shows'."""
        if self.episode:
            return self.everything
        if self.show or self.organization:
            return self.everything & Q(episode=None, show__isnull=False)
        return Q(show=None, episode=None)

    def within(self, period: "Period") -> Q:
        """The rows of these days, which are each show's own."""
        elsewhere = [(1, self.ahead), (-1, self.behind)]
        if not any(shows for _, shows in elsewhere):
            return period.condition
        found = ~Q(show_id__in=self.ahead | self.behind) & period.condition
        for days, shows in elsewhere:
            found |= Q(show_id__in=shows) & period.later(days).condition
        # Without bounds that hold for all of them, no index would be of use.
        return Period(period.later(-1).first, period.later(1).last).condition & found

    @property
    def listeners(self) -> Q:
        """The rows of listeners, which are kept of shows."""
        return Q(pk=None) if self.episode else self.everything

    @property
    def everything(self) -> Q:
        """All rows of downloads and tallies that belong to this scope."""
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
    """Whole days, both ends included: of a show's time zone, UTC's for the platform."""

    first: date
    last: date

    @classmethod
    def last_days(cls, count: int, *, today: date) -> Self:
        """The ``count`` days that end with today."""
        return cls(today - timedelta(days=count - 1), today)

    @property
    def previous(self) -> Self:
        """As many days, just before."""
        return self.later(-(self.last - self.first).days - 1)

    def later(self, days: int) -> Self:
        """As many days, so much later."""
        return type(self)(self.first + timedelta(days=days), self.last + timedelta(days=days))

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
    """``provisional`` of the downloads are known from requests only.

    ``listeners`` are distinct addresses with their user agents on that day of UTC; where several
    shows are meant, the listeners of each, added up.
    """

    day: date
    downloads: int
    listeners: int
    provisional: int = 0


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


def _days(scope: Scope, period: Period, dimension: Dimension = Dimension.ALL) -> QuerySet[DayRow]:
    return DayRow.objects.filter(scope.total, scope.within(period), dimension=dimension)


def headline(scope: Scope, *, today: date) -> Headline:
    """Today, 7 and 30 days (today included), and the same before."""
    week, month = Period.last_days(7, today=today), Period.last_days(30, today=today)
    parts = {
        "today": Period(today, today),
        "yesterday": Period(today, today).previous,
        "last_7": week,
        "previous_7": week.previous,
        "last_30": month,
        "previous_30": month.previous,
    }
    found = _days(scope, Period(month.previous.first, today)).aggregate(
        **{
            name: Sum("downloads", filter=scope.within(period), default=0)
            for name, period in parts.items()
        }
    )
    return Headline(**{name: int(count) for name, count in found.items()})


def daily(scope: Scope, period: Period, *, with_listeners: bool = True) -> list[DayTotal]:
    """Every day of the period, also those without downloads."""
    rows: QuerySet[Any, Any] = (
        _days(scope, period)
        .order_by()
        .values_list("day")
        .annotate(sum=Sum("downloads"), known=Sum("provisional"), here=Value(0))
    )
    if with_listeners:
        listeners = (
            ListenerTotal.objects.filter(scope.listeners, period.condition)
            .order_by()
            .values_list("day")
            .annotate(sum=Value(0), known=Value(0), here=Sum("listeners"))
        )
        rows = rows.union(listeners, all=True)
    found: dict[date, DayTotal] = {}
    for day, downloads, provisional, people in rows:
        before = found.get(day, DayTotal(day, 0, 0))
        found[day] = DayTotal(
            day,
            before.downloads + int(downloads),
            before.listeners + int(people),
            before.provisional + int(provisional),
        )
    return [found.get(day, DayTotal(day, 0, 0)) for day in period.days()]


def top_episodes(scope: Scope, period: Period, *, limit: int = 10) -> list[Ranked]:
    """The most downloaded episodes."""
    rows = DayRow.objects.filter(
        scope.everything, scope.within(period), dimension=Dimension.ALL, episode__isnull=False
    )
    return _ranked(rows, "episode", limit)


def top_shows(scope: Scope, period: Period, *, limit: int = 10) -> list[Ranked]:
    """The most downloaded shows."""
    rows = DayRow.objects.filter(
        scope.everything,
        scope.within(period),
        dimension=Dimension.ALL,
        show__isnull=False,
        episode=None,
    )
    return _ranked(rows, "show", limit)


def _ranked(rows: QuerySet[DayRow], of: str, limit: int) -> list[Ranked]:
    found = (
        rows.values_list(f"{of}_id", f"{of}__title")
        .annotate(sum=Sum("downloads"))
        .filter(sum__gt=0)
        .order_by("-sum", f"{of}__title", f"{of}_id")[:limit]
    )
    return [Ranked(number, title, int(count)) for number, title, count in found]


def top_apps(scope: Scope, period: Period, *, limit: int = 10) -> list[Share]:
    """The apps (or browsers, or libraries) that downloaded most."""
    return shares(scope, period, Dimension.APP, limit=limit)


def top_devices(scope: Scope, period: Period, *, limit: int = 10) -> list[Share]:
    """The devices that downloaded most."""
    return shares(scope, period, Dimension.DEVICE, limit=limit)


def top_countries(scope: Scope, period: Period, *, limit: int = 10) -> list[Share]:
    """The countries, as ISO 3166-1 codes, that downloaded most."""
    return shares(scope, period, Dimension.COUNTRY, limit=limit)


def shares(
    scope: Scope, period: Period, dimension: Dimension, *, limit: int | None = None
) -> list[Share]:
    """What downloaded most, by app, device, country or (where a website's player did) website."""
    rows = (
        _days(scope, period, dimension)
        .values_list("value")
        .annotate(sum=Sum("downloads"))
        .filter(sum__gt=0)
        .order_by("-sum", "value")[:limit]
    )
    return [Share(value, int(count)) for value, count in rows]


def latest(scope: Scope, *, limit: int = 20) -> list[LatestDownload]:
    """What was counted last, newest first."""
    rows = (
        Download.objects.filter(scope.everything, held_address=None)
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
