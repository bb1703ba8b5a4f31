"""A show's episodes beside each other: their first days in a table, and as curves."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.paginator import Page, Paginator

from apps.downloads import chart_tables, episode_curves
from apps.downloads.chart_tables import Table
from apps.downloads.episode_curves import MOST_EPISODES, STEP_HOURS
from apps.downloads.episode_figures import figures_of_episodes
from apps.downloads.episode_table import (
    FIRST_DAYS,
    PUBLISHED,
    TITLE,
    TOTAL,
    Published,
    Row,
    published_episodes,
    sorted_episodes,
    table_rows,
)
from apps.downloads.subject import Subject
from frontend.statistics import words
from frontend.statistics.panel import Panel
from frontend.statistics.plots import Series, Slot, draw

PER_PAGE = 25
MOST_FOUND = 20
COMPARED_BEFORE = 3
_TICK_HOURS = {2: 12, 7: 24, 30: 5 * 24, 90: 15 * 24}
_LABELS = {
    TITLE: "Episode",
    PUBLISHED: "Published",
    **{name: f"{days} day{'' if days == 1 else 's'}" for name, days in FIRST_DAYS.items()},
    TOTAL: "All time",
}
SORTS = ("-published", *_LABELS, *(f"-{name}" for name in _LABELS))


@dataclass(frozen=True, slots=True)
class Heading:
    """A column that can be sorted by; ``next_sort`` is what a click asks for."""

    name: str
    label: str
    next_sort: str
    direction: str  # of aria-sort; "" where it is not sorted by this one
    is_number: bool


@dataclass(frozen=True, slots=True)
class Option:
    """An episode that may be compared."""

    episode: Published
    is_chosen: bool
    number: int  # of its curve, from 1; 0 for none


def episode_page(
    subject: Subject, episodes: Sequence[Published], *, sort: str, number: str | None
) -> tuple[Page[Published], list[Row]]:
    """One page of the table, and its lines."""
    page = Paginator(sorted_episodes(subject, episodes, sort), PER_PAGE).get_page(number)
    return page, table_rows(subject, list(page))


def headings(sort: str) -> list[Heading]:
    """The columns that can be sorted by; the first click sorts as one usually wants it."""
    directions = {sort.removeprefix("-"): "descending" if sort.startswith("-") else "ascending"}
    return [
        Heading(
            name,
            label,
            next_sort=_other(sort) if name in directions else _usual(name),
            direction=directions.get(name, ""),
            is_number=name not in {TITLE, PUBLISHED},
        )
        for name, label in _LABELS.items()
    ]


def _other(sort: str) -> str:
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"


def _usual(name: str) -> str:
    return name if name == TITLE else f"-{name}"


def all_rows(subject: Subject) -> Table:
    """The whole table, for an export."""
    episodes = published_episodes(subject)
    figures = figures_of_episodes(
        [(episode.id, episode.at) for episode in episodes],
        show=subject.show.pk,
        now=subject.at,
    )
    rows = [(episode.id, episode.title, episode.at) for episode in episodes]
    return chart_tables.episode_table(rows, figures)


def chosen_episodes(
    episodes: Sequence[Published], wanted: Collection[str], *, subject: Subject, days: int
) -> list[Published]:
    """Those asked for; else the newest one, or the page's own, and some before it.

    Of these, such that have a whole curve, as far as there are any.
    """
    chosen = [episode for episode in episodes if str(episode.id) in wanted][:MOST_EPISODES]
    if chosen:
        return chosen
    ids = [episode.id for episode in episodes]
    own = subject.episode.pk if subject.episode else None
    first = ids.index(own) if own in ids else 0
    before = episodes[first + 1 :]
    over = subject.at - timedelta(days=days)
    whole = [episode for episode in before if episode.at <= over]
    return [*episodes[first : first + 1], *(whole or before)[:COMPARED_BEFORE]]


def compare_panel(subject: Subject, chosen: Sequence[Published], *, days: int) -> Panel:
    """The curves of these episodes, each from the hour in which it came out."""
    curves = episode_curves.curves(
        [(episode.id, episode.at) for episode in chosen],
        show=subject.show.pk,
        days=days,
        now=subject.at,
    )
    titles = {episode.id: episode.title for episode in chosen}
    step = STEP_HOURS[days]
    slots = [
        _slot(
            (number + 1) * step,
            [(titles[curve.episode], curve.points[number]) for curve in curves],
        )
        for number in range(days * 24 // step)
    ]
    lines = [
        Series(titles[curve.episode], f"plot__line plot__line--{number}", curve.points)
        for number, curve in enumerate(curves, start=1)
    ]
    return Panel(
        key="compare",
        title="Episodes compared",
        note="All downloads since the hour of publication",
        table=chart_tables.curve_table(curves, days=days, titles=titles),
        plot=draw(
            slots,
            lines=lines,
            label=f"Downloads in the first {days} days",
            height=300,
            tick_every=_TICK_HOURS[days] // step,
        ),
        empty="" if chosen else "Curves appear here once episodes are published.",
    )


def _slot(hours: int, counts: Sequence[tuple[str, int | None]]) -> Slot:
    known = (f"{title}: {words.grouped(count)}" for title, count in counts if count is not None)
    return Slot(label=_after(hours), words=[f"After {words.hours_after(hours)}", *known])


def _after(hours: int) -> str:
    """Below the axis."""
    return f"{hours} h" if hours % 24 else f"{hours // 24} d"


def options(
    episodes: Sequence[Published], chosen: Sequence[Published], *, search: str
) -> list[Option]:
    """What can be chosen: what is chosen already, then what the search finds, newest first."""
    numbers: Mapping[UUID, int] = {episode.id: n for n, episode in enumerate(chosen, start=1)}
    found = [
        episode
        for episode in episodes
        if episode.id not in numbers and search.casefold() in episode.title.casefold()
    ]
    return [
        Option(episode, episode.id in numbers, numbers.get(episode.id, 0))
        for episode in [*chosen, *found[:MOST_FOUND]]
    ]
