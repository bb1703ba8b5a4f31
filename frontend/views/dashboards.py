"""A show's dashboard: what its members see of its downloads, live and in detail."""

import csv
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core.clock import now
from apps.downloads import totals
from apps.downloads.charts import first_open_day
from apps.downloads.first_days import MILESTONE_DAYS
from apps.downloads.totals import Period, Scope
from apps.live.groups import Board
from frontend import show_figures
from frontend.live_page import live_page
from frontend.views.studio.standing import standing
from podcasts import urls
from podcasts.access import get_show
from podcasts.models import Show

CSV_DAYS = 366

DIRECTORIES = (
    ("Apple Podcasts", "https://podcastsconnect.apple.com/"),
    ("Spotify", "https://creators.spotify.com/"),
    ("Amazon Music", "https://podcasters.amazon.com/"),
    ("Pocket Casts", "https://pocketcasts.com/submit/"),
    ("Podcast Index", "https://podcastindex.org/add"),
)


@login_required
@require_safe
def show_dashboard(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """The dashboard; it is complete without a script, and stays current with one."""
    show = get_show(request.user, show_id)
    at = now()
    live = live_page(Board.of_show(show.id), at=at)
    page = show_figures.episode_page(show, request.GET.get("page"), at=at)
    context = {
        "show": show,
        "live": live,
        "message": live.message,
        "page": page,
        "rows": show_figures.episode_rows(show, page, at=at),
        "next_step": _next_step(
            has_episodes=page.paginator.count > 0, downloads=live.message["total"]
        ),
        "feed_url": urls.feed_url(show.handle),
        "directories": DIRECTORIES,
        **standing(request, show.organization_id),
        **_figures(show, at),
    }
    return render(request, "studio/dashboard.html", context)


@login_required
@require_safe
def show_downloads_csv(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """Downloads and listeners of each of the last 366 days."""
    show = get_show(request.user, show_id)
    at = now()
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{show.handle}-downloads.csv"',
            "Cache-Control": "no-store",
        },
    )
    zone = ZoneInfo(show.time_zone)
    provisional, today = first_open_day(at, zone), at.astimezone(zone).date()
    writer = csv.writer(response)
    writer.writerow(["day", "downloads", "listeners", "status"])
    for day in totals.daily(Scope(show=show.id), Period.last_days(CSV_DAYS, today=today)):
        status = "provisional" if day.day >= provisional else "final"
        writer.writerow([day.day.isoformat(), day.downloads, day.listeners, status])
    return response


def _figures(show: Show, at: datetime) -> dict[str, object]:
    scope, zone = Scope(show=show.id), ZoneInfo(show.time_zone)
    today = at.astimezone(zone).date()
    days = totals.daily(scope, Period.last_days(show_figures.CHART_DAYS, today=today))
    first_open = first_open_day(at, zone)
    return {
        **show_figures.trends(scope, days, today=today),
        **show_figures.breakdowns(scope, today=today, at=at),
        "daily": show_figures.day_points(days),
        "hourly": show_figures.hour_points(scope, at=at, zone=zone),
        "marks": show_figures.episode_marks(show, days, at=at),
        "milestones": MILESTONE_DAYS,
        "provisional_from": first_open,
        "open_days": show_figures.open_days(days, first_open),
    }


def _next_step(*, has_episodes: bool, downloads: object) -> str:
    """What a show without figures needs first: "audio", "submit", or nothing."""
    if not has_episodes:
        return "audio"
    return "" if downloads else "submit"
