"""Today's tables of many shows in three queries, where `totals` would ask five for each show.

They say the same, in the same order; a test holds them to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from apps.downloads.models import Dimension
from apps.downloads.totals import Ranked, Share


@dataclass(frozen=True, slots=True)
class ShowTables:
    """What was downloaded most today, and the all-time totals of episodes that grew lately."""

    apps: list[Share] = field(default_factory=list)
    countries: list[Share] = field(default_factory=list)
    top_episodes: list[Ranked] = field(default_factory=list)
    grown: dict[UUID, int] = field(default_factory=dict)


def tables_of_shows(
    todays: Mapping[UUID, date], *, limit: int, grown: int
) -> dict[UUID, ShowTables]:
    """Of each of these shows, whose time zones are in these days.

    ``limit`` is the length of each table, and ``grown`` of how many episodes the totals are: of
    those that grew most today and yesterday.
    """
    found: defaultdict[UUID, ShowTables] = defaultdict(ShowTables)
    for show, dimension, value, downloads in _read(_SHARES, todays, limit=limit):
        tables = found[show]
        shares = tables.apps if dimension == Dimension.APP else tables.countries
        shares.append(Share(value, downloads))
    for show, episode, title, downloads in _read(_TOP_EPISODES, todays, limit=limit):
        found[show].top_episodes.append(Ranked(episode, title, downloads))
    for show, episode, downloads in _read(_GROWN, todays, limit=grown):
        found[show].grown[episode] = int(downloads)
    return {show: found[show] for show in todays}


# A total of a show, an episode or a part of either is one row for each day, so there is nothing to
# add up within a day. For each show alone the planner takes that show's index.
_SHARES = """
SELECT wanted.show, part.dimension, one.value, one.downloads
FROM unnest(%(shows)s::uuid[], %(days)s::date[]) AS wanted (show, today)
CROSS JOIN (VALUES ('app'), ('country')) AS part (dimension)
CROSS JOIN LATERAL (
    SELECT value, downloads FROM downloads_daytotal
    WHERE show_id = wanted.show AND episode_id IS NULL AND dimension = part.dimension
        AND day = wanted.today AND downloads > 0
    ORDER BY downloads DESC, value LIMIT %(limit)s
) AS one
ORDER BY one.downloads DESC, one.value
"""
_TOP_EPISODES = """
SELECT wanted.show, one.*
FROM unnest(%(shows)s::uuid[], %(days)s::date[]) AS wanted (show, today)
CROSS JOIN LATERAL (
    SELECT total.episode_id, episode.title, total.downloads
    FROM downloads_daytotal AS total
    JOIN podcasts_episode AS episode ON episode.id = episode_id AND episode.show_id = wanted.show
    WHERE total.show_id = wanted.show AND day = wanted.today AND dimension = ''
        AND episode_id IS NOT NULL AND downloads > 0
    ORDER BY downloads DESC, title, episode_id LIMIT %(limit)s
) AS one
ORDER BY one.downloads DESC, one.title, one.episode_id
"""
_GROWN = """
SELECT wanted.show, grown.episode_id, ever.downloads
FROM unnest(%(shows)s::uuid[], %(days)s::date[]) AS wanted (show, today)
CROSS JOIN LATERAL (
    SELECT total.episode_id, sum(downloads) AS downloads, episode.title
    FROM downloads_daytotal AS total
    JOIN podcasts_episode AS episode ON episode.id = episode_id AND episode.show_id = wanted.show
    WHERE total.show_id = wanted.show AND day BETWEEN wanted.today - 1 AND wanted.today
        AND dimension = '' AND episode_id IS NOT NULL
    GROUP BY total.episode_id, episode.title HAVING sum(downloads) > 0
    ORDER BY 2 DESC, title, episode_id LIMIT %(limit)s
) AS grown
CROSS JOIN LATERAL (
    SELECT sum(downloads) AS downloads FROM downloads_monthtotal
    WHERE show_id = wanted.show AND episode_id = grown.episode_id AND dimension = ''
        AND downloads > 0
) AS ever
WHERE ever.downloads IS NOT NULL
ORDER BY grown.downloads DESC, grown.title, grown.episode_id
"""


def _read(query: str, todays: Mapping[UUID, date], *, limit: int) -> Iterable[tuple[Any, ...]]:
    wanted: dict[str, Any] = {"shows": list(todays), "days": list(todays.values()), "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(query, wanted)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
