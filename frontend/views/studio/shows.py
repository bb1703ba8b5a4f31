"""Pages to make, change, delete and restore shows."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.access import current_membership, require_role
from apps.accounts.roles import Role
from apps.core.clock import now
from apps.live.groups import Board
from frontend.forms.delivery import lost_delivery
from frontend.forms.shows import DeleteShowForm, ShowForm, ShowSettingsForm
from frontend.live_page import live_page
from frontend.views.dashboards import DIRECTORIES
from frontend.views.posts import post_or_back
from frontend.views.studio.paging import page_of
from frontend.views.studio.standing import add_errors, person, standing
from podcasts import urls
from podcasts.access import episodes_of, get_show, shows_of
from podcasts.models import Show
from podcasts.querysets import public_condition
from podcasts.services.shows import create_show, update_show
from podcasts.services.trash import delete_show, restore_show

ALIVE = Q(episodes__deleted_at=None)


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The shows of the current organisation."""
    try:
        membership = current_membership(request)
    except Http404:
        return render(request, "studio/no_organization.html")
    public = public_condition(now(), path="episodes__")
    shows = shows_of(membership.organization).annotate(
        episode_count=Count("episodes", filter=ALIVE),
        public_count=Count("episodes", filter=ALIVE & public),
    )
    page = page_of(request, shows, size=24)
    board = Board.of_organization(membership.organization_id)
    context = {
        "membership": membership,
        "page": page,
        "live": live_page(board, at=now()) if page.paginator.count else None,
        **standing(request, membership.organization_id),
    }
    return render(request, "studio/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def show_new(request: HttpRequest) -> HttpResponse:
    """Make a show in the current organisation."""
    membership = current_membership(request)
    require_role(request.user, membership.organization_id, Role.ADMIN)
    user = person(request)
    initial = {
        "author": membership.organization.name,
        "owner_name": user.name,
        "owner_email": user.email,
    }
    form = ShowForm(request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            show = create_show(
                organization=membership.organization,
                artwork=form.cleaned_data["artwork"],
                **form.show_fields(),
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{show.title} is there. Now add the first episode.")
            return redirect("studio:show", show.pk)
    context = {"form": form}
    return render(request, "studio/shows/new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def show_settings(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """Everything that can be said about a show, its feed's address, and deleting it."""
    show = get_show(request.user, show_id, Role.ADMIN)
    if request.method != "POST":
        return _settings_page(request, show)
    form = ShowSettingsForm(request.POST, request.FILES, show=show)
    if form.is_valid():
        try:
            update_show(show=show, artwork=form.cleaned_data["artwork"], **form.show_fields())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The settings are saved. The feed has them already.")
            return redirect("studio:show_settings", show.pk)
    return _settings_page(request, show, form=form)


def _settings_page(
    request: HttpRequest,
    show: Show,
    *,
    form: ShowSettingsForm | None = None,
    delete_form: DeleteShowForm | None = None,
) -> HttpResponse:
    context = {
        "show": show,
        "form": form or ShowSettingsForm(show=show),
        "delete_form": delete_form or DeleteShowForm(show=show),
        "lost_delivery": lost_delivery(show),
        "has_episodes": episodes_of(show).exists(),
        "feed_url": urls.feed_url(show.handle),
        "directories": DIRECTORIES,
        "former_handles": show.handles.exclude(pk=show.handle).order_by("-created_at"),
        **standing(request, show.organization_id),
    }
    has_errors = form is not None or delete_form is not None
    return render(request, "studio/shows/settings.html", context, status=422 if has_errors else 200)


@post_or_back("studio:show_settings", "show_id")
@login_required
def show_delete(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """Put a show into the trash; one with episodes only when its handle was typed."""
    try:
        show = get_show(request.user, show_id, Role.ADMIN)
    except Http404:
        show = get_show(request.user, show_id, Role.ADMIN, in_trash=True)
    else:
        form = DeleteShowForm(request.POST, show=show)
        if episodes_of(show).exists() and not form.is_valid():
            return _settings_page(request, show, delete_form=form)
        delete_show(show=show)
    undo = reverse("studio:show_restore", args=[show.pk])
    messages.success(request, f"{show.title} is in the trash.", extra_tags=f"undo:{undo}")
    return redirect("studio:home")


@post_or_back("studio:trash")
@login_required
def show_restore(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """Take a show out of the trash; doing it twice is no error."""
    try:
        show = get_show(request.user, show_id, Role.ADMIN, in_trash=True)
    except Http404:
        show = get_show(request.user, show_id, Role.ADMIN)
    else:
        restore_show(show=show)
    messages.success(request, f"{show.title} is back, with its episodes.")
    return redirect("studio:show", show.pk)
