"""What a board shows right now: one function for sockets, polling and the page's first state."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import redis

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import activity, totals
from apps.downloads.episode_figures import all_time, all_time_of_episodes
from apps.downloads.summary import Activity
from apps.live.country_names import country_name
from apps.live.groups import Board
from podcasts import urls
from podcasts.access import shows_for_platform

LATEST_SHOWN = 12
RANKED_SHOWN = 10
# What grew lately may be on somebody's page; older episodes' totals stand still.
EPISODES_SENT = 100

type Message = dict[str, object]
"""What a client gets, as plain JSON values."""


def board_message(board: Board, *, at: datetime | None = None) -> Message:
    """Everything a board shows; callers have checked who may see it."""
    at = at or now()
    described = _show(board.show_id, at) if board.show_id else _platform(at)
    return with_activity_now(board, described, at=at)


def current_message(board: Board) -> str:
    """The same as the text that sockets carry."""
    return encode(board_message(board))


def encode(message: Message) -> str:
    """A message as the text that sockets carry."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def with_activity_now(board: Board, message: Message, *, at: datetime | None = None) -> Message:
    """The message with its time and its two figures that fall by themselves set anew."""
    at = at or now()
    activity_now = _activity(board, at)
    return message | {
        "at": at.isoformat(),
        "listeners_now": activity_now.listeners,
        "bytes_per_second": activity_now.bytes_per_second,
    }


def _activity(board: Board, at: datetime) -> Activity:
    """A picture of the moment, which may be missing: the totals are shown without Valkey too."""
    now_ms = int(at.timestamp() * 1000)
    try:
        return activity.read(valkey.connection(), [board.show_id], now_ms=now_ms)[0]
    except (redis.RedisError, OSError):
        return Activity()


def _show(show: UUID, at: datetime) -> Message:
    scope, today = totals.Scope(show=show), at.date()
    figures = totals.headline(scope, today=today)
    since_yesterday = totals.Period(today - timedelta(days=1), today)
    grown = totals.top_episodes(scope, since_yesterday, limit=EPISODES_SENT)
    counts = all_time_of_episodes(show=show, episodes=[episode.id for episode in grown])
    return {
        "type": "show",
        "today": figures.today,
        "week": figures.last_7,
        "total": all_time(scope),
        "latest": _latest(totals.latest(scope, limit=LATEST_SHOWN)),
        "episodes": {str(episode): count for episode, count in counts.items()},
    }


def _platform(at: datetime) -> Message:
    scope, today = totals.PLATFORM, at.date()
    figures = totals.headline(scope, today=today)
    this_day = totals.Period(today, today)
    ranked = totals.top_shows(scope, this_day, limit=RANKED_SHOWN)
    shows = shows_for_platform(show.id for show in ranked)
    return {
        "type": "platform",
        "today": figures.today,
        "week": figures.last_7,
        "total": all_time(),
        "latest": _latest(totals.latest(scope, limit=LATEST_SHOWN), names_shows=True),
        "shows": [
            {
                "title": show.title,
                "url": urls.show_url(shows[show.id]),
                "today": show.downloads,
            }
            for show in ranked
        ],
        "apps": [
            {"name": app.name or "Unknown app", "count": app.downloads}
            for app in totals.top_apps(scope, this_day, limit=RANKED_SHOWN)
        ],
    }


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
