"""A show's episodes beside each other: when each came out, and the downloads of its first days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.downloads.episode_figures import all_time_of_episodes, figures_of_episodes
from apps.downloads.first_days import MILESTONE_DAYS, downloads_within
from apps.downloads.subject import Subject
from podcasts.access import once_public

TITLE, PUBLISHED, TOTAL = "title", "published", "total"
FIRST_DAYS = {f"first{days}": days for days in MILESTONE_DAYS}
COLUMNS = (TITLE, PUBLISHED, *FIRST_DAYS, TOTAL)
"""What the table can be sorted by; with a minus in front for the other way."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a table says of an episode that is or was public."""

    id: UUID
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: (days, downloads in as many days), None until those have passed."""

    episode: Published
    within: Sequence[tuple[int, int | None]]
    all_time: int


def published_episodes(subject: Subject) -> list[Published]:
    """All of them, newest first: one query, however many."""
    rows = once_public(subject.show, subject.at).values_list("pk", "title", "published_at")
    return [Published(number, title, at) for number, title, at in rows if at]


def sorted_episodes(
    subject: Subject, episodes: Sequence[Published], sort: str
) -> Sequence[Published]:
    """By one of ``COLUMNS``, given newest first. What has no figure yet comes last both ways."""
    name, is_reversed = sort.removeprefix("-"), sort.startswith("-")
    if name == TITLE:
        return sorted(episodes, key=lambda each: each.title.casefold(), reverse=is_reversed)
    if name == PUBLISHED:
        return episodes if is_reversed else episodes[::-1]
    counts = _counts(subject, episodes, name)
    known = [episode for episode in episodes if episode.id in counts]
    unknown = [episode for episode in episodes if episode.id not in counts]
    return sorted(known, key=lambda each: counts[each.id], reverse=is_reversed) + unknown


def _counts(subject: Subject, episodes: Sequence[Published], name: str) -> Mapping[UUID, int]:
    show = subject.show.pk
    if name == TOTAL:
        return all_time_of_episodes(show=show, episodes=[episode.id for episode in episodes])
    published, days = [(episode.id, episode.at) for episode in episodes], FIRST_DAYS[name]
    found = downloads_within(published, show=show, days=[days], now=subject.at)
    return {episode: counts[days] for episode, counts in found.items() if counts}


def table_rows(subject: Subject, episodes: Sequence[Published]) -> list[Row]:
    """The lines of these episodes: two queries, however many."""
    figures = figures_of_episodes(
        [(episode.id, episode.at) for episode in episodes], show=subject.show.pk, now=subject.at
    )
    return [
        Row(episode, figures[episode.id].milestones, figures[episode.id].all_time)
        for episode in episodes
    ]
