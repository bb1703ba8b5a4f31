"""Statistics of a show and of an episode: charts, each with its numbers as a table and a file."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from apps.core.clock import now
from apps.downloads.episode_curves import MOST_EPISODES
from apps.downloads.episode_figures import all_time
from apps.downloads.episode_table import published_episodes
from apps.downloads.subject import Subject
from frontend.statistics import choices, drops, episodes, exports, rankings, timelines, week
from frontend.views.studio.standing import standing
from podcasts.access import get_episode, get_show

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    class HtmxHttpRequest(HttpRequest):
        """What the middleware adds."""

        htmx: HtmxDetails


type Context = dict[str, Any]


@login_required
@require_safe
def show_statistics(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """Everything about a show's downloads in the period that was chosen."""
    return _page(request, _of_show(request, show_id), "show")


@login_required
@require_safe
def episode_statistics(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """The same of one episode."""
    return _page(request, _of_episode(request, episode_id), "episode")


@login_required
@require_safe
def show_not_counted(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """Why the figures are lower than another host's."""
    subject = _of_show(request, show_id)
    choice = exports.utc_choice_of(subject, request.GET)
    panel, rows, downloads = drops.drop_panel(subject, choice)
    context = {
        **_common(request, subject),
        "choice": choice,
        "periods": choices.PERIODS,
        "panel": panel,
        "reasons": rows,
        "downloads": downloads,
        "dropped": sum(row.count for row in rows),
    }
    return _answer(request, context, page="not_counted", parts={"statistics": "_not_counted"})


@login_required
@require_safe
def show_export(request: HttpRequest, show_id: UUID, chart: str, kind: str) -> HttpResponse:
    """A chart's numbers as CSV or JSON."""
    return _export(request, _of_show(request, show_id), chart, kind)


@login_required
@require_safe
def episode_export(request: HttpRequest, episode_id: UUID, chart: str, kind: str) -> HttpResponse:
    """The same of one episode."""
    return _export(request, _of_episode(request, episode_id), chart, kind)


def _of_show(request: HttpRequest, show_id: UUID) -> Subject:
    return Subject(get_show(request.user, show_id), now())


def _of_episode(request: HttpRequest, episode_id: UUID) -> Subject:
    episode = get_episode(request.user, episode_id)
    return Subject(get_show(request.user, episode.show_id), now(), episode)


def _export(request: HttpRequest, subject: Subject, chart: str, kind: str) -> HttpResponse:
    write = exports.as_json if kind == "json" else exports.as_csv
    return write(subject, chart, request.GET)


def _page(request: HttpRequest, subject: Subject, page: str) -> HttpResponse:
    """The page, or the part of it that htmx asks for: only that is read."""
    readers: dict[str, Callable[[HttpRequest, Subject], Context]] = {
        "hours": _hours,
        "compare": _compare,
    }
    if subject.episode is None:
        readers["episodes"] = _episodes
    context = _common(request, subject)
    part = _wanted_part(request)
    if part in readers:
        context |= readers[part](request, subject)
    else:
        context |= _chosen(request, subject)
        for read in readers.values():
            context |= read(request, subject)
    parts = {name: f"_{name}" for name in readers} | {"statistics": "_all"}
    return _answer(request, context, page=page, parts=parts)


def _answer(
    request: HttpRequest, context: Context, *, page: str, parts: dict[str, str]
) -> HttpResponse:
    """The template of the part that htmx wants, by the id of what it replaces, or of the page."""
    name = parts.get(_wanted_part(request), page)
    response = render(request, f"studio/statistics/{name}.html", context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _wanted_part(request: HttpRequest) -> str:
    """The id of the element that htmx replaces; empty where a page is wanted."""
    htmx = cast("HtmxHttpRequest", request).htmx
    return htmx.target or "" if htmx and not htmx.history_restore_request else ""


def _common(request: HttpRequest, subject: Subject) -> Context:
    subject_id = subject.episode.pk if subject.episode else subject.show.pk
    kind = "episode" if subject.episode else "show"
    return {
        "show": subject.show,
        "episode": subject.episode,
        "subject": subject,
        "first_open": subject.first_open,
        "export_base": reverse(f"studio:{kind}_statistics", args=[subject_id]),
        **standing(request, subject.show.organization_id),
    }


def _chosen(request: HttpRequest, subject: Subject) -> Context:
    """What follows the chosen period, and the headline, which doesn't."""
    choice = exports.choice_of(subject, request.GET)
    found: Context = {
        "choice": choice,
        "periods": choices.PERIODS,
        "headline": timelines.headline(subject),
        "all_time": all_time(subject.scope),
        "time": timelines.time_panel(subject, choice),
        "parts": rankings.part_panels(subject, choice.period),
        "week": week.week_panel(subject, choice.period),
    }
    if subject.episode is None:
        found["months"] = timelines.month_panel(subject, choice.period)
    return found


def _hours(request: HttpRequest, subject: Subject) -> Context:
    hours = choices.hours_of(request.GET.dict())
    return {
        "hours": timelines.hour_panel(subject, hours),
        "hours_chosen": str(hours),
        "hour_choices": choices.HOURS,
    }


def _episodes(request: HttpRequest, subject: Subject) -> Context:
    wanted = request.GET.get("sort", "")
    sort = wanted if wanted in episodes.SORTS else episodes.SORTS[0]
    page, rows = episodes.episode_page(
        subject,
        published_episodes(subject),
        sort=sort,
        number=request.GET.get("page"),
    )
    return {
        "page": page,
        "rows": rows,
        "headings": episodes.headings(sort),
    }


def _compare(request: HttpRequest, subject: Subject) -> Context:
    query = request.GET
    published = published_episodes(subject)
    days = choices.curve_days_of(query.dict())
    chosen = episodes.chosen_episodes(
        published, query.getlist("compare"), subject=subject, days=days
    )
    search = query.get("q", "")[:200]
    return {
        "compare": episodes.compare_panel(subject, chosen, days=days),
        "curve_days": str(days),
        "curve_choices": choices.CURVE_DAYS,
        "options": episodes.options(published, chosen, search=search),
        "search": search,
        "most_compared": MOST_EPISODES,
        "is_full": len(chosen) >= MOST_EPISODES,
    }
