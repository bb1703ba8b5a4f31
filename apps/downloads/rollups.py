"""How downloads add up: one set of statements, for what a batch changes and for building anew.

What changes is a query with the columns organization_id, show_id, episode_id, local_day, first_at,
app, device, country, referrer, and two numbers: ``downloads`` is what a row adds to the totals (1,
or -1 where a download is taken back), ``provisional`` how much of that is known from requests only.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection

# Of the platform, of the show, of the episode. The platform's days are UTC's. Rows are locked in
# the order of their keys, and the platform's, which every batch changes, at the end.
_SCOPES = """
(VALUES
    (change.organization_id, change.show_id, change.episode_id, 'episode'),
    (change.organization_id, change.show_id, NULL::uuid, 'show'),
    (NULL::uuid, NULL::uuid, NULL::uuid, 'platform')
) AS scope (organization_id, show_id, episode_id, kind)
"""
_DIMENSIONS = """
(VALUES ('', ''), ('app', change.app), ('device', change.device),
    ('country', change.country), ('referrer', change.referrer)
) AS part (dimension, value)
"""
_DAY = "CASE kind WHEN 'platform' THEN (hour AT TIME ZONE 'UTC')::date ELSE local_day END"

# Many downloads differ in nothing that is told apart: these are added up before they are spread.
_ALIKE = """
SELECT organization_id, show_id, episode_id, local_day, date_trunc('hour', first_at, 'UTC') AS hour,
    app, device, country, referrer, sum(downloads) AS downloads, sum(provisional) AS provisional
FROM ({changes}) AS change
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""
_HOURS = """
INSERT INTO downloads_hourtotal AS total (
    organization_id, show_id, episode_id, hour, downloads, provisional
)
SELECT scope.organization_id, scope.show_id, scope.episode_id, hour,
    sum(downloads), sum(provisional)
FROM ({alike}) AS change, LATERAL {scopes}
GROUP BY 1, 2, 3, 4
ORDER BY 2, 3, 4
ON CONFLICT (show_id, episode_id, hour) DO UPDATE SET
    downloads = total.downloads + excluded.downloads,
    provisional = total.provisional + excluded.provisional
"""
_DAYS_AND_MONTHS = """
WITH added AS MATERIALIZED (
    SELECT scope.organization_id, scope.show_id, scope.episode_id, dimension, value,
        {day} AS day, sum(downloads) AS downloads, sum(provisional) AS provisional
    FROM ({alike}) AS change, LATERAL {scopes}, LATERAL {dimensions}
    WHERE NOT (dimension = 'referrer' AND value = '')
    GROUP BY 1, 2, 3, 4, 5, 6
), months AS (
    INSERT INTO downloads_monthtotal AS total (
        organization_id, show_id, episode_id, dimension, value, month, downloads, provisional
    )
    SELECT organization_id, show_id, episode_id, dimension, value,
        date_trunc('month', day::timestamp)::date, sum(downloads), sum(provisional)
    FROM added
    GROUP BY 1, 2, 3, 4, 5, 6
    ORDER BY 2, 3, 4, 6, 5
    ON CONFLICT (show_id, episode_id, dimension, month, value) DO UPDATE SET
        downloads = total.downloads + excluded.downloads,
        provisional = total.provisional + excluded.provisional
)
INSERT INTO downloads_daytotal AS total (
    organization_id, show_id, episode_id, dimension, value, day, downloads, provisional
)
SELECT organization_id, show_id, episode_id, dimension, value, day, downloads, provisional
FROM added
ORDER BY show_id, episode_id, dimension, day, value
ON CONFLICT (show_id, episode_id, dimension, day, value) DO UPDATE SET
    downloads = total.downloads + excluded.downloads,
    provisional = total.provisional + excluded.provisional
"""

_STORED = """
SELECT organization_id, show_id, episode_id, local_day, first_at, app, device, country, referrer,
    {sign} AS downloads, {sign} * is_provisional::int AS provisional
FROM downloads_download WHERE held_address IS NULL AND {condition}
"""


def add(changes: str, parameters: Sequence[Any] = ()) -> None:
    """Add what a query holds to the totals of hours, days and months."""
    parts = {
        "alike": _ALIKE.format(changes=changes),
        "scopes": _SCOPES,
        "dimensions": _DIMENSIONS,
        "day": _DAY,
    }
    with connection.cursor() as cursor:
        for statement in (_HOURS, _DAYS_AND_MONTHS):
            cursor.execute(statement.format(**parts), parameters or None)


def add_all() -> None:
    """Add every download that there is, to totals that lack all of them."""
    add(_STORED.format(sign=1, condition="true"))


def add_downloads(numbers: Sequence[int]) -> None:
    """Add these downloads, by their ids."""
    add(_STORED.format(sign=1, condition="id = ANY(%s)"), [numbers])


def add_day(day: date) -> None:
    """Add all downloads of a UTC day."""
    add(_STORED.format(sign=1, condition="day = %s"), [day])


def take_back_day(day: date) -> None:
    """Take all downloads of a UTC day out again; to be called before a change."""
    add(_STORED.format(sign=-1, condition="day = %s"), [day])


def take_back(numbers: Sequence[int]) -> None:
    """Take these downloads, by their ids, out of the totals again; to be called before a change."""
    add(_STORED.format(sign=-1, condition="id = ANY(%s)"), [numbers])
