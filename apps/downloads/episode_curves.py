"""Episodes beside each other, each from the hour in which it came out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.downloads.first_days import Published

MOST_EPISODES = 8
# The hours of one step for as many days: a line of some hundred points, whatever its length.
STEP_HOURS = {2: 1, 7: 1, 30: 6, 90: 24}

_STEPS = """
SELECT total.episode_id,
    greatest(floor(extract(epoch FROM total.hour - aligned.since) / %(step)s), 0)::int AS step,
    sum(total.downloads)
FROM unnest(%(episodes)s::uuid[], %(hours)s::timestamptz[]) AS aligned (episode_id, since)
JOIN downloads_hourtotal AS total
    ON total.show_id = %(show)s AND total.episode_id = aligned.episode_id
    AND total.hour < aligned.since + %(length)s
GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Curve:
    """All downloads of an episode up to the end of each step; None for steps yet to come."""

    episode: UUID
    points: tuple[int | None, ...]


def curves(published: Published, *, show: UUID, days: int, now: datetime) -> list[Curve]:
    """The first days of up to eight episodes of a show, one of ``STEP_HOURS`` after the other.

    As with milestones, the first step begins with the hour of publication and includes what came
    before.
    """
    if len(published) > MOST_EPISODES:
        raise ValueError(f"at most {MOST_EPISODES} episodes can be told apart in a chart")
    step = timedelta(hours=STEP_HOURS[days])
    found: dict[UUID, dict[int, int]] = {}
    for episode, number, downloads in _steps(published, show, timedelta(days=days), step):
        found.setdefault(episode, {})[number] = downloads
    return [
        Curve(
            episode,
            _rising(
                found.get(episode, {}),
                steps=timedelta(days=days) // step,
                begun=(now - _hour(at)) // step + 1,
            ),
        )
        for episode, at in published
    ]


def _rising(added: dict[int, int], *, steps: int, begun: int) -> tuple[int | None, ...]:
    points: list[int | None] = []
    total = 0
    for number in range(steps):
        total += added.get(number, 0)
        points.append(total if number < begun else None)
    return tuple(points)


def _steps(
    published: Published, show: UUID, length: timedelta, step: timedelta
) -> list[tuple[UUID, int, int]]:
    parameters: dict[str, Any] = {
        "episodes": [episode for episode, _ in published],
        "hours": [_hour(at) for _, at in published],
        "show": show,
        "length": length,
        "step": step.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_STEPS, parameters)
        return [(episode, step, int(downloads)) for episode, step, downloads in cursor.fetchall()]


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
