"""The page of what was deleted and can be restored."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import CharField, F, Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.accounts.access import current_membership
from frontend.views.studio.paging import page_of
from frontend.views.studio.standing import standing
from podcasts.access import trash_of


def _kind(name: str) -> Value:
    return Value(name, output_field=CharField())


@require_GET
@login_required
def trash(request: HttpRequest) -> HttpResponse:
    """Deleted shows and episodes of the current organisation, latest first."""
    membership = current_membership(request)
    shows, episodes = trash_of(membership.organization)
    columns = ("kind", "id", "title", "show_title", "deleted_at")
    rows = (
        shows.order_by()
        .annotate(kind=_kind("show"), show_title=_kind(""))
        .values(*columns)
        .union(
            episodes.select_related(None)
            .order_by()
            .annotate(kind=_kind("episode"), show_title=F("show__title"))
            .values(*columns),
            all=True,
        )
        .order_by("-deleted_at")
    )
    page = page_of(request, rows)
    for row in page.object_list:
        row["purged_at"] = row["deleted_at"] + settings.TRASH_LIFETIME
    context = {
        "page": page,
        "lifetime_days": settings.TRASH_LIFETIME.days,
        **standing(request, membership.organization_id),
    }
    return render(request, "studio/trash.html", context)
