"""What a board shows right now: one function for sockets, streams, polling and the page itself."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
import redis

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import activity, minutes, totals
from apps.downloads.episode_figures import all_time, all_time_of_episodes
from apps.downloads.revision import read_revision
from apps.downloads.shows_at_once import LiveFigures, figures_of_shows
from apps.downloads.summary import Activity
from apps.downloads.tables_of_shows import tables_of_shows
from apps.live.country_names import country_name
from apps.live.groups import PLATFORM, Board, Kind
from apps.live.health import health_message
from apps.live.places import place_of
from podcasts import urls
from podcasts.access import shows_for_platform

LATEST_SHOWN = 12
RANKED_SHOWN = 10
# What grew lately may be on somebody's page; older episodes' totals stand still.
EPISODES_SENT = 100
RANKINGS = ("shows", "episodes", "top_episodes", "apps", "countries")
"""The fields that are tables: slower to make, and nobody reads them twice a second."""
_MOMENTARY = ("at", "sequence")

type Message = dict[str, object]
"""What a client gets, as plain JSON values."""


def board_message(
    board: Board, *, at: datetime | None = None, rankings_of: Message | None = None
) -> Message:
    """Everything a board shows; callers have checked who may see it.

    With ``rankings_of``, an earlier message of today, its tables are taken over.
    """
    at = at or now()
    # The moment first: what is counted meanwhile may be missing there, never in the totals.
    moment = moments([board], at=at)[board]
    return describe(board, at=at, rankings_of=rankings_of) | moment


def encode(message: Message) -> str:
    """A message as the text that sockets carry."""
    return msgspec.json.encode(message).decode()


def says_the_same(one: Message, other: Message) -> bool:
    """Whether a reader would see no difference."""
    return essence(one) == essence(other)


def essence(message: Message) -> Message:
    """The message without what differs each time that it is made."""
    return {name: value for name, value in message.items() if name not in _MOMENTARY}


def moments(boards: Sequence[Board], *, at: datetime) -> dict[Board, Message]:
    """The part of each board's message that changes by itself, and its time.

    A picture of the moment, which may be missing: totals are shown without Valkey too.
    """
    ids = [board.id for board in boards]
    try:
        client = valkey.connection()
        revision: int | None = read_revision(client)
        actives = activity.read(client, ids, now_ms=_ms(at))
        series = minutes.read(client, ids, last_minutes(at))
        platform = {"health": health_message(client, at=at)} if PLATFORM in boards else {}
    except (redis.RedisError, OSError):
        revision, platform = None, {}
        actives = [Activity()] * len(boards)
        series = [[0] * minutes.MINUTES] * len(boards)
    return {
        board: {
            "at": at.isoformat(),
            "sequence": _ms(at),
            "epoch": revision,
            "listeners_now": active.listeners,
            "bytes_per_second": active.bytes_per_second,
            "minutes": counts,
        }
        | (platform if board == PLATFORM else {})
        for board, active, counts in zip(boards, actives, series, strict=True)
    }


def last_minutes(at: datetime) -> Sequence[int]:
    """The last hour's minutes of Unix time, the current one last."""
    this = int(at.timestamp()) // 60
    return range(this - minutes.MINUTES + 1, this + 1)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def describe(
    board: Board,
    *,
    at: datetime,
    rankings_of: Message | None = None,
    figures: LiveFigures | None = None,
) -> Message:
    """What the database says; days are those of each show's time zone, the platform's are UTC's.

    ``figures`` are the board's own, where many were read at once: see :func:`figures_of`. The
    tables are those of ``rankings_of``, if that is given: an earlier message, or what
    :func:`tables_of` read.
    """
    place = place_of(board)
    scope, today = place.scope_at(at), place.day(at)
    figures = figures or _figures(scope, today)
    names_shows = board.kind in {Kind.PLATFORM, Kind.ORGANIZATION}
    message: Message = {
        "type": board.kind.value,
        "id": str(board.id) if board.id else None,
        "day": today.isoformat(),
        "day_ends_at": place.day_ends_at(at).isoformat(),
        "provisional_from": place.first_open(at).isoformat(),
        "time_zone": None if place.zones else place.zone.key,
        "today": figures.today,
        "week": figures.last_7,
        "month": figures.last_30,
        "total": figures.total,
        "latest": _latest(figures.latest, names_shows=names_shows),
    }
    if rankings_of is not None:
        return message | {name: rankings_of[name] for name in RANKINGS if name in rankings_of}
    return message | _rankings(board, scope, today)


def figures_of(boards: Iterable[Board], *, at: datetime) -> dict[Board, LiveFigures]:
    """The figures of those of the boards that can be read together: the shows'."""
    todays = {
        board.id: place_of(board).day(at)
        for board in boards
        if board.kind is Kind.SHOW and board.id
    }
    found = figures_of_shows(todays, latest=LATEST_SHOWN) if todays else {}
    return {Board.of_show(show): figures for show, figures in found.items()}


def tables_of(boards: Iterable[Board], *, at: datetime) -> dict[Board, Message]:
    """The tables of those of the boards that can be read together: the shows'."""
    todays = {
        board.id: place_of(board).day(at)
        for board in boards
        if board.kind is Kind.SHOW and board.id
    }
    if not todays:
        return {}
    found = tables_of_shows(todays, limit=RANKED_SHOWN, grown=EPISODES_SENT)
    return {
        Board.of_show(show): {
            "apps": _apps(tables.apps),
            "countries": _countries(tables.countries),
            "episodes": {str(episode): count for episode, count in tables.grown.items()},
            "top_episodes": _episodes(tables.top_episodes),
        }
        for show, tables in found.items()
    }


def _figures(scope: totals.Scope, today: date) -> LiveFigures:
    headline = totals.headline(scope, today=today)
    return LiveFigures(
        today=headline.today,
        last_7=headline.last_7,
        last_30=headline.last_30,
        total=all_time(scope),
        latest=totals.latest(scope, limit=LATEST_SHOWN),
    )


def is_of_today(message: Message, at: datetime) -> bool:
    """Whether what a message calls today is not over, for any of its shows."""
    return at < datetime.fromisoformat(str(message["day_ends_at"]))


def _rankings(board: Board, scope: totals.Scope, today: date) -> Message:
    """The tables of today, and the totals of a show's episodes."""
    period = totals.Period(today, today)
    rankings: Message = {
        "apps": _apps(totals.top_apps(scope, period, limit=RANKED_SHOWN)),
        "countries": _countries(totals.top_countries(scope, period, limit=RANKED_SHOWN)),
    }
    if scope.show and not scope.episode:
        rankings["episodes"] = _grown_episodes(scope, scope.show, today)
    if board.kind is not Kind.EPISODE:
        episodes = totals.top_episodes(scope, period, limit=RANKED_SHOWN)
        rankings["top_episodes"] = _episodes(episodes)
    if board.kind in {Kind.PLATFORM, Kind.ORGANIZATION}:
        rankings["shows"] = _shows(scope, period)
    return rankings


def _apps(shares: Iterable[totals.Share]) -> list[Message]:
    return [{"name": app.name or "Unknown app", "count": app.downloads} for app in shares]


def _countries(shares: Iterable[totals.Share]) -> list[Message]:
    return [{"name": country_name(one.name), "count": one.downloads} for one in shares]


def _episodes(ranked: Iterable[totals.Ranked]) -> list[Message]:
    return [{"id": str(one.id), "title": one.title, "today": one.downloads} for one in ranked]


def _grown_episodes(scope: totals.Scope, show: UUID, today: date) -> dict[str, int]:
    """All-time totals of the episodes that grew since yesterday, by id."""
    since_yesterday = totals.Period(today - timedelta(days=1), today)
    grown = totals.top_episodes(scope, since_yesterday, limit=EPISODES_SENT)
    counts = all_time_of_episodes(show=show, episodes=[episode.id for episode in grown])
    return {str(episode): count for episode, count in counts.items()}


def _shows(scope: totals.Scope, period: totals.Period) -> list[Message]:
    ranked = totals.top_shows(scope, period, limit=RANKED_SHOWN)
    shows = shows_for_platform(show.id for show in ranked)
    return [
        {
            "id": str(show.id),
            "title": show.title,
            "url": urls.show_url(shows[show.id]),
            "today": show.downloads,
        }
        for show in ranked
    ]


def _latest(
    downloads: Iterable[totals.LatestDownload], *, names_shows: bool = False
) -> list[Message]:
    """Newest first. What was counted in one batch has one time, so the id numbers them."""
    in_batch: Counter[datetime] = Counter()
    rows: list[Message] = []
    for download in downloads:
        in_batch[download.at] += 1
        show: Message = {"show": download.show_title} if names_shows else {}
        rows.append(
            show
            | {
                "id": f"{download.at.isoformat()}/{in_batch[download.at]}",
                "at": download.at.isoformat(),
                "episode_id": str(download.episode),
                "episode": download.episode_title,
                "app": download.app,
                "device": download.device,
                "country": download.country,
                "country_name": country_name(download.country) if download.country else "",
            }
        )
    return rows
