"""The whole platform as its staff see it: live figures, the busiest shows and apps."""

import logging
from datetime import UTC

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from apps.core.clock import now
from apps.downloads import totals
from apps.downloads.charts import first_open_day
from apps.downloads.quarantine import release_address
from apps.downloads.totals import Period
from apps.live.groups import PLATFORM
from frontend import show_figures
from frontend.forms.platform import ReleaseForm
from frontend.live_page import live_page
from frontend.quarantine import waiting_rows

logger = logging.getLogger(__name__)


def _require_staff(request: HttpRequest) -> None:
    if not getattr(request.user, "is_staff", False):
        raise Http404("There is no such page.")


@login_required
@require_safe
def platform(request: HttpRequest) -> HttpResponse:
    """The platform's dashboard; for anybody but staff it isn't there."""
    _require_staff(request)
    at = now()
    today = at.date()
    live = live_page(PLATFORM, at=at)
    days = totals.daily(totals.PLATFORM, Period.last_days(show_figures.CHART_DAYS, today=today))
    first_open = first_open_day(at, UTC)
    context = {
        "live": live,
        "message": live.message,
        "health": live.message.get("health"),
        "daily": show_figures.day_points(days),
        "hourly": show_figures.hour_points(totals.PLATFORM, at=at),
        "waiting": waiting_rows(),
        "provisional_from": first_open,
        "open_days": show_figures.open_days(days, first_open),
        **show_figures.trends(totals.PLATFORM, days, today=today),
        **show_figures.breakdowns(totals.PLATFORM, today=today, at=at),
    }
    return render(request, "platform/live.html", context)


@require_POST
@login_required
def release(request: HttpRequest) -> HttpResponse:
    """Count what waits for review of one address on one day."""
    _require_staff(request)
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        return HttpResponse("Choose one of the rows that wait for review.", status=400)
    count = release_address(**form.cleaned_data)
    if not count:
        messages.info(request, "Nothing was waiting there any more.")
        return redirect("platform:home")
    logger.info("%s released %s downloads of %s", request.user.pk, count, form.cleaned_data["day"])
    noun = "download counts" if count == 1 else "downloads count"
    messages.success(request, f"{count} {noun} from now on.")
    return redirect("platform:home")
