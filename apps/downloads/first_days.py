"""What each episode of a show had in its first days after publication.

Once those days are closed the number is kept as a row, for adding up a thousand episodes' hours
takes a quarter of a second. A row says from which hour it was added up: where an episode's
publication was moved, and where days are not closed yet, the hours are added up for whoever asks.

Closed days change only where somebody imports history, releases what was held, or builds all
totals anew. These call ``add_up_again`` in the transaction of their change.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.downloads.window import last_expired_day

type Published = Sequence[tuple[UUID, datetime]]
"""Episodes with their publication."""

MILESTONE_DAYS = (1, 3, 7, 30, 90)

# A counter that read the clock just before a day's end may still be at work, or its clock be late.
_MARGIN = timedelta(hours=1)
# Of this installation's database; the number means nothing but must never change.
_LOCK = 0x4C6F6E67_46697273

# The first day begins with the hour of publication, and includes what came before.
_FROM_HOURS = """(
    SELECT coalesce(sum(total.downloads), 0) FROM downloads_hourtotal AS total
    WHERE total.show_id = {of}.show_id AND total.episode_id = {of}.episode_id
        AND total.hour < {of}.since + make_interval(hours => 24 * {of}.days)
)::bigint"""
_READ = """
SELECT wanted.episode_id, wanted.days, coalesce(stored.downloads, {from_hours})
FROM (
    SELECT %(show)s::uuid AS show_id, episode_id, days, date_trunc('hour', at, 'UTC') AS since
    FROM unnest(%(episodes)s::uuid[], %(moments)s::timestamptz[]) AS published (episode_id, at),
        unnest(%(days)s::smallint[]) AS milestone (days)
    WHERE at <= %(now)s - make_interval(hours => 24 * days)
) AS wanted
LEFT JOIN downloads_firstdays AS stored USING (show_id, episode_id, days, since)
"""
# No counter can write to a day that has no key any more.
_MISSING = """
SELECT show_id, episode_id, days, since
FROM (
    SELECT show_id, id AS episode_id, days, date_trunc('hour', published_at, 'UTC') AS since
    FROM podcasts_episode, unnest(%(milestones)s::smallint[]) AS milestone (days)
    WHERE {condition}
) AS closed
WHERE since + make_interval(hours => 24 * days) <= least(
    %(closed_until)s, (SELECT min(day)::timestamp AT TIME ZONE 'UTC' FROM downloads_daykey)
) AND NOT EXISTS (
    SELECT FROM downloads_firstdays AS stored
    WHERE stored.show_id = closed.show_id AND stored.episode_id = closed.episode_id
        AND stored.days = closed.days AND stored.since = closed.since
)
"""
_SHOWS = "SELECT DISTINCT show_id FROM ({missing}) AS missing"
_STORE = """
INSERT INTO downloads_firstdays (show_id, episode_id, days, since, downloads)
SELECT show_id, episode_id, days, since, {from_hours} FROM ({missing}) AS missing
ON CONFLICT (show_id, episode_id, days) DO UPDATE SET
    since = excluded.since, downloads = excluded.downloads
"""
_ADD_UP = "UPDATE downloads_firstdays AS stored SET downloads = {from_hours} WHERE {condition}"
_ENDED_LATER = """
show_id = ANY(%s) AND since + make_interval(hours => 24 * days) > %s::timestamp AT TIME ZONE 'UTC'
"""


def downloads_within(
    published: Published, *, show: UUID, days: Collection[int], now: datetime
) -> dict[UUID, dict[int, int]]:
    """Of each of a show's episodes: its downloads in so many days, where these have passed."""
    found: dict[UUID, dict[int, int]] = {episode: {} for episode, _ in published}
    parameters: dict[str, Any] = {
        "show": show,
        "episodes": [episode for episode, _ in published],
        "moments": [at for _, at in published],
        "days": list(days),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(from_hours=_FROM_HOURS.format(of="wanted")), parameters)
        for episode, milestone, downloads in cursor.fetchall():
            found[episode][milestone] = downloads
    return found


def store_closed(*, now: datetime) -> int:
    """Keep the numbers whose days are closed since the last time; of how many shows."""
    closed_until = last_expired_day(now - _MARGIN) + timedelta(days=1)
    parameters: dict[str, Any] = {
        "milestones": list(MILESTONE_DAYS),
        "closed_until": datetime.combine(closed_until, time.min, UTC),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SHOWS.format(missing=_MISSING.format(condition="true")), parameters)
        shows = [row[0] for row in cursor.fetchall()]
    store = _STORE.format(
        missing=_MISSING.format(condition="show_id = %(show)s"),
        from_hours=_FROM_HOURS.format(of="missing"),
    )
    for show in shows:
        with transaction.atomic(), connection.cursor() as cursor:
            wait_for_turn()
            cursor.execute(store, parameters | {"show": show})
    return len(shows)


@transaction.atomic
def add_up_again(shows: Collection[UUID], *, changed: date) -> None:
    """Put right what is kept of these shows, after downloads of this or later UTC days changed.

    To be called in the same transaction, after all that it changes: see locks.py.
    """
    wait_for_turn()
    _add_up(_ENDED_LATER, [list(shows), changed])


def add_up_all() -> None:
    """Add up everything that is kept from the hours that are there."""
    _add_up("true")


def _add_up(condition: str, parameters: Sequence[Any] = ()) -> None:
    statement = _ADD_UP.format(from_hours=_FROM_HOURS.format(of="stored"), condition=condition)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def wait_for_turn() -> None:
    """Until the end of this transaction nobody else adds up what is kept.

    Two at a time would each not see the hours that the other one has changed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
