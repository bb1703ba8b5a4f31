"""The whole platform as its staff see it: live figures, the busiest shows and apps."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.core.clock import now
from apps.downloads import totals
from apps.downloads.totals import Period
from apps.live.groups import PLATFORM
from apps.live.states import board_message
from frontend import show_figures
from frontend.views.dashboards import latest_of


@login_required
@require_safe
def platform(request: HttpRequest) -> HttpResponse:
    """The platform's dashboard; for anybody but staff it isn't there."""
    if not getattr(request.user, "is_staff", False):
        raise Http404("There is no such page.")
    at = now()
    today = at.date()
    message = board_message(PLATFORM, at=at)
    days = totals.daily(totals.PLATFORM, Period.last_days(show_figures.CHART_DAYS, today=today))
    context = {
        "message": message,
        "latest": latest_of(message),
        "socket_url": "/live/platform/",
        "poll_url": reverse("api:platform-live"),
        "daily": show_figures.day_points(days),
        "hourly": show_figures.hour_points(totals.PLATFORM, at=at),
        "provisional_from": show_figures.provisional_from(at),
        **show_figures.trends(totals.PLATFORM, days, today=today),
        **show_figures.breakdowns(totals.PLATFORM, today=today),
    }
    return render(request, "platform/live.html", context)
