"""Two years of a busy show, written straight into the totals: what charts are measured on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from apps.core.clock import now
from apps.downloads import sketch
from apps.downloads.models import MonthListeners
from podcasts.models import Episode, EpisodeStatus, Show
from podcasts.services.shows import create_show

ZONE = "Europe/Berlin"

# An episode's audience falls with its age, breathes with the day, and differs from one episode to
# the next: a third of a show's downloads are of its newest week. What remains of a rate below one
# an hour is a download now and then.
_HOURS = """
INSERT INTO downloads_hourtotal (organization_id, show_id, episode_id, hour, downloads, provisional)
SELECT organization_id, show_id, id, hour, downloads, 0
FROM (
    SELECT organization_id, show_id, id, hour, floor(
        popularity * (0.55 + 0.45 * sin((extract(hour FROM hour) - 9) / 24 * 2 * pi()))
        * power(1 + extract(epoch FROM hour - since) / 3600 / 5, -1.25) + 0.01 + random()
    )::bigint AS downloads
    FROM (
        SELECT organization_id, show_id, id, date_trunc('hour', published_at, 'UTC') AS since,
            60 + 240 * random() AS popularity
        FROM podcasts_episode WHERE show_id = %(show)s
    ) AS episode,
    generate_series(since, %(now)s, interval '1 hour') AS hour
) AS counted WHERE downloads > 0
"""
_SHOW_HOURS = """
INSERT INTO downloads_hourtotal (organization_id, show_id, episode_id, hour, downloads, provisional)
SELECT organization_id, show_id, NULL, hour, sum(downloads), 0
FROM downloads_hourtotal WHERE show_id = %(show)s GROUP BY 1, 2, 4
"""
_DAYS = """
INSERT INTO downloads_daytotal (
    organization_id, show_id, episode_id, dimension, value, day, downloads, provisional
)
SELECT organization_id, show_id, episode_id, '', '', (hour AT TIME ZONE %(zone)s)::date,
    sum(downloads), 0
FROM downloads_hourtotal WHERE show_id = %(show)s GROUP BY 1, 2, 3, 6
"""
# The n-th most common value has a share in proportion to 1/n, and a day with few downloads has few
# values.
_PARTS = """
INSERT INTO downloads_daytotal (
    organization_id, show_id, episode_id, dimension, value, day, downloads, provisional
)
SELECT organization_id, show_id, episode_id, %(dimension)s, name, day, downloads, 0
FROM (
    SELECT organization_id, show_id, episode_id, day, name, floor(
        total.downloads * %(share)s / number / %(harmonic)s + random()
    )::bigint AS downloads
    FROM downloads_daytotal AS total,
        unnest((%(values)s::text[])[:1 + total.downloads]) WITH ORDINALITY AS named (name, number)
    WHERE show_id = %(show)s AND dimension = ''
) AS counted WHERE downloads > 0
"""
_MONTHS = """
INSERT INTO downloads_monthtotal (
    organization_id, show_id, episode_id, dimension, value, month, downloads, provisional
)
SELECT organization_id, show_id, episode_id, dimension, value, date_trunc('month', day)::date,
    sum(downloads), 0
FROM downloads_daytotal WHERE show_id = %(show)s
GROUP BY 1, 2, 3, 4, 5, 6
"""
_LISTENERS = """
INSERT INTO downloads_listenertotal (organization_id, show_id, day, listeners)
SELECT organization_id, show_id, day, ceil(downloads * 0.72) FROM downloads_daytotal
WHERE show_id = %(show)s AND episode_id IS NULL AND dimension = ''
"""
# Bots read the whole catalogue again and again; the rest happens where people listen.
_DROPS = """
INSERT INTO downloads_droptally (day, organization_id, show_id, episode_id, reason, count)
SELECT day, organization_id, show_id, episode_id, reason, ceil(downloads * share * random())
FROM downloads_daytotal, unnest(
    ARRAY['probe', 'status', 'below_threshold', 'bot', 'method', 'server_library', 'apple_watch'],
    ARRAY[0.5, 0.2, 0.12, 0.3, 0.06, 0.05, 0.02]
) AS drop (reason, share)
WHERE show_id = %(show)s AND episode_id IS NOT NULL AND dimension = ''
    AND random() < least(downloads * share, 0.9)
"""
# A show is never alone in the table that is kept by episode: others were dropped from as well.
_NEIGHBOURS = 4
_DROPS_OF_NEIGHBOURS = """
INSERT INTO downloads_droptally (day, organization_id, show_id, episode_id, reason, count)
SELECT day, neighbour, neighbour, episode_id, reason, count
FROM downloads_droptally, unnest(%(neighbours)s::uuid[]) AS neighbour
WHERE show_id = %(show)s
"""
_APPS = (
    *("Apple Podcasts", "Spotify", "Overcast", "Pocket Casts", "Chrome", "AntennaPod"),
    *("Podcast Addict", "Unknown Apple app", "Amazon Music", "Castro", "Castbox", "Firefox", ""),
    *(f"App {number}" for number in range(14, 61)),
)
_DEVICES = (
    *("iPhone", "Android phone", "Mac", "Windows PC", "iPad", "Apple Watch", "Amazon Echo", ""),
    *(f"Device {number}" for number in range(9, 31)),
)
_CODES = (
    "USDEGBATCHFRCAAUNLSENODKESITPLBEIENZFIJPBRINMXPTCZGRZASGHKKRARCLCOTRILAEUAROHUSKSIHRBGRS"
    "EELVLTLUISMTCYTHVNPHIDMYTWKENGEG"
)
_COUNTRIES = tuple(_CODES[start : start + 2] for start in range(0, len(_CODES), 2))
_WEBSITES = tuple(f"player{number}.example" for number in range(1, 21))


@dataclass(frozen=True, slots=True)
class BusyShow:
    """The show, its busiest kind of episode, and its newest ones."""

    show: UUID
    organization: UUID
    episodes: tuple[tuple[UUID, datetime], ...]  # newest first, with their publication


def seed_busy_show(template: Episode, *, episodes: int, days: int) -> BusyShow:
    """A show in the organisation of this episode, whose audio all of its episodes have."""
    at = now()
    show = create_show(
        organization=template.organization,
        title="The Daily Measure",
        handle="daily-measure",
        description="A thousand episodes in two years.",
        category="News",
        author="Somebody",
        time_zone=ZONE,
    )
    made = _publish(show, template, episodes, at=at, days=days)
    _fill(show, at)
    return BusyShow(show.pk, show.organization_id, tuple(made))


def _publish(
    show: Show, template: Episode, count: int, *, at: datetime, days: int
) -> list[tuple[UUID, datetime]]:
    apart = timedelta(days=days) / count
    made = Episode.objects.bulk_create(
        Episode(
            organization_id=show.organization_id,
            show=show,
            title=f"Number {count - number}",
            slug=f"number-{count - number}",
            audio_id=template.audio_id,
            status=EpisodeStatus.PUBLISHED,
            published_at=at - apart * number - timedelta(hours=3),
        )
        for number in range(count)
    )
    return [(episode.pk, episode.published_at) for episode in made if episode.published_at]


@transaction.atomic
def _fill(show: Show, at: datetime) -> None:
    neighbours = [uuid4() for _ in range(_NEIGHBOURS)]
    values: dict[str, Any] = {"show": show.pk, "zone": ZONE, "now": at, "neighbours": neighbours}
    with connection.cursor() as cursor:
        for statement in (_HOURS, _SHOW_HOURS, _DAYS):
            cursor.execute(statement, values)
        for dimension, share, names in (
            ("app", 1.0, _APPS),
            ("device", 1.0, _DEVICES),
            ("country", 1.0, _COUNTRIES),
            ("referrer", 0.06, _WEBSITES),
        ):
            parts = {
                "dimension": dimension,
                "share": share,
                "values": list(names),
                "harmonic": sum(1 / number for number in range(1, len(names) + 1)),
            }
            cursor.execute(_PARTS, values | parts)
        for statement in (_MONTHS, _LISTENERS, _DROPS, _DROPS_OF_NEIGHBOURS):
            cursor.execute(statement, values)
    _sketch_months(show, at)


def _sketch_months(show: Show, at: datetime) -> None:
    first = at.astimezone(ZoneInfo(ZONE)).date().replace(day=1)
    months = sorted({(first - timedelta(days=30 * back)).replace(day=1) for back in range(24)})
    MonthListeners.objects.bulk_create(
        MonthListeners(
            organization_id=show.organization_id,
            show_id=show.pk,
            month=month,
            sketch=sketch.empty(),
            listeners=90_000 + 4_000 * number,
        )
        for number, month in enumerate(months)
    )
