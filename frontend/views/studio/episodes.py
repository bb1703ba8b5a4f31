"""Pages to list, make and change episodes."""

from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.roles import Role
from apps.core.clock import now
from apps.live.groups import Board
from frontend.forms.episodes import EpisodeForm, NewEpisodeForm, PublishForm
from frontend.live_page import live_page
from frontend.views.studio.paging import page_of
from frontend.views.studio.standing import add_errors, person, standing
from podcasts import urls
from podcasts.access import episodes_of, get_episode, get_show
from podcasts.models import Episode, EpisodeStatus
from podcasts.notes import render_notes
from podcasts.services.episodes import (
    MAX_NOTES,
    create_episode,
    update_episode,
)
from podcasts.services.numbering import suggested_numbers
from podcasts.services.publishing import is_public

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    class HtmxHttpRequest(HttpRequest):
        """What the middleware adds."""

        htmx: HtmxDetails


STATUSES = [("", "All"), *EpisodeStatus.choices]


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page, not for the page behind its history."""
    htmx = cast("HtmxHttpRequest", request).htmx
    return bool(htmx) and not htmx.history_restore_request


def _varying(response: HttpResponse) -> HttpResponse:
    """A part must never be shown from the browser's cache as the page of the same address."""
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
@login_required
def episode_list(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """A show's episodes; htmx gets the list alone."""
    show = get_show(request.user, show_id)
    status = request.GET.get("status", "")
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    episodes = episodes_of(show)
    if status in EpisodeStatus.values:
        episodes = episodes.shown_as(status, now())
    if words:
        episodes = episodes.filter(title__icontains=words)
    context = {
        "show": show,
        "page": page_of(request, episodes),
        "statuses": STATUSES,
        "status": status,
        "words": words,
        "is_filtered": bool(words or status),
        **standing(request, show.organization_id),
    }
    template = "studio/episodes/list.html" + ("#rows" if wants_part(request) else "")
    return _varying(render(request, template, context))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def episode_new(request: HttpRequest, show_id: UUID) -> HttpResponse:
    """Begin an episode: a title makes a draft, and its page takes the audio."""
    show = get_show(request.user, show_id, Role.EDITOR)
    season, number = suggested_numbers(show)
    initial = {"season_number": season, "episode_number": number}
    form = NewEpisodeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            episode = create_episode(show=show, created_by=person(request), **form.episode_fields())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "The draft is saved. Now add its audio.")
            return redirect("studio:episode", episode.pk)
    context = {"show": show, "form": form, **standing(request, show.organization_id)}
    return render(request, "studio/episodes/new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def episode(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """The editor, locked for an analyst; htmx gets what changes when the audio is ready."""
    needed = Role.EDITOR if request.method == "POST" else Role.ANALYST
    found = get_episode(request.user, episode_id, needed)
    if request.method != "POST":
        return editor_page(request, found)
    form = save_form(request, found)
    if form.errors:
        return editor_page(request, found, form=form)
    messages.success(request, "Saved.")
    return redirect("studio:episode", found.pk)


def save_form(request: HttpRequest, episode: Episode) -> EpisodeForm:
    """Save what the editor sent; the form that comes back has errors when it could not."""
    form = EpisodeForm(request.POST, request.FILES, episode=episode)
    if form.is_valid():
        try:
            update_episode(
                episode=episode,
                artwork=form.cleaned_data["artwork"],
                is_artwork_removed=form.cleaned_data.get("is_artwork_removed", False),
                **form.episode_fields(),
            )
        except ValidationError as error:
            add_errors(form, error)
    return form


def editor_page(
    request: HttpRequest,
    episode: Episode,
    *,
    form: EpisodeForm | None = None,
    publish_form: PublishForm | None = None,
) -> HttpResponse:
    """The editor with the forms as they are; 422 when one of them was refused."""
    allowed = standing(request, episode.organization_id)
    context = {
        "episode": episode,
        "show": episode.show,
        "form": form or EpisodeForm(episode=episode, is_readonly=not allowed["may_edit"]),
        "publish_form": publish_form or PublishForm(episode=episode),
        "is_public": is_public(episode, now()),
        "public_url": urls.episode_url(episode.show, episode),
        **allowed,
    }
    if request.method == "GET" and wants_part(request):
        return _varying(render(request, "studio/episodes/_after_audio.html", context))
    was_public = episode.published_at is not None and episode.published_at <= now()
    context["live"] = live_page(Board.of_episode(episode.id), at=now()) if was_public else None
    refused = any(given is not None and given.errors for given in (form, publish_form))
    status = 422 if refused else 200
    return _varying(render(request, "studio/episodes/editor.html", context, status=status))


@require_POST
@login_required
def notes_preview(request: HttpRequest) -> HttpResponse:
    """Show notes as listeners will see them; nothing is stored."""
    html = render_notes(request.POST.get("notes", "")[:MAX_NOTES])
    return render(request, "studio/episodes/_notes_preview.html", {"html": html})
