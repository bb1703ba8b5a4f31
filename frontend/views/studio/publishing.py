"""What the buttons of an episode do: publish, schedule, withdraw, delete, restore."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from apps.accounts.roles import Role
from apps.core.clock import now
from frontend.forms.episodes import EpisodeForm, PublishForm
from frontend.views.posts import post_or_back
from frontend.views.studio.episodes import editor_page, save_form
from frontend.views.studio.standing import add_errors
from podcasts.access import get_episode
from podcasts.models import Episode
from podcasts.services import publishing
from podcasts.services.trash import delete_episode, restore_episode

type Action = Callable[[Episode], str]


def _run(request: HttpRequest, episode_id: UUID, action: Action) -> HttpResponse:
    """Save the editor's form when it came along, then act; what is refused is shown there."""
    episode = get_episode(request.user, episode_id, Role.EDITOR)
    form: EpisodeForm | None = None
    if "title" in request.POST:
        form = save_form(request, episode)
        if form.errors:
            return editor_page(request, episode, form=form)
    try:
        said = action(episode)
    except ValidationError as error:
        if form is not None:
            return _refused(request, episode_id, form, error)
        messages.error(request, error.messages[0])
    else:
        messages.success(request, said)
    return redirect("studio:episode", episode_id)


def _refused(
    request: HttpRequest, episode_id: UUID, form: EpisodeForm, error: ValidationError
) -> HttpResponse:
    """The editor, saved, with the reason where it can be mended."""
    episode = get_episode(request.user, episode_id, Role.EDITOR)
    publish_form = PublishForm(request.POST, episode=episode)
    if publish_form.is_valid():
        is_about_form = not set(getattr(error, "error_dict", {})).isdisjoint(form.fields)
        add_errors(form if is_about_form else publish_form, error)
    return editor_page(request, episode, form=form, publish_form=publish_form)


@post_or_back("studio:episode", "episode_id")
@login_required
def episode_publish(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """Publish now, or as soon as the audio is ready."""

    def publish(episode: Episode) -> str:
        published = publishing.publish_episode(episode=episode)
        if published.is_published_when_ready:
            return "It will be published as soon as its audio is ready."
        return "The episode is public. Apps see it when they next read the feed."

    return _run(request, episode_id, publish)


@post_or_back("studio:episode", "episode_id")
@login_required
def episode_schedule(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """Publish by itself at a date; for an episode that was public before, change its date."""

    def schedule(episode: Episode) -> str:
        form = PublishForm(request.POST, episode=episode)
        if not form.is_valid():
            raise ValidationError(dict(form.errors.as_data()))
        at = form.cleaned_data["publish_at"]
        if at is None:
            raise ValidationError(
                {"publish_at": ValidationError("Choose a date and time.", code="required")}
            )
        was_public = episode.published_at is not None and episode.published_at <= now()
        if at <= now() and was_public:
            publishing.publish_episode(episode=episode, at=at)
            return "The date is changed."
        publishing.schedule_episode(episode=episode, at=at)
        return "It will be published by itself at that time."

    return _run(request, episode_id, schedule)


@post_or_back("studio:episode", "episode_id")
@login_required
def episode_unschedule(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """Take a plan back: a draft again."""

    def cancel(episode: Episode) -> str:
        publishing.cancel_schedule(episode=episode)
        return "The episode is a draft again."

    return _run(request, episode_id, cancel)


@post_or_back("studio:episode", "episode_id")
@login_required
def episode_unpublish(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """Take an episode out of the feed and off the public pages."""

    def unpublish(episode: Episode) -> str:
        publishing.unpublish_episode(episode=episode)
        return "The episode is no longer public."

    return _run(request, episode_id, unpublish)


@post_or_back("studio:episode", "episode_id")
@login_required
def episode_delete(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """Put an episode into the trash; doing it twice is no error."""
    try:
        episode = get_episode(request.user, episode_id, Role.EDITOR)
    except Http404:
        episode = get_episode(request.user, episode_id, Role.EDITOR, in_trash=True)
    else:
        delete_episode(episode=episode)
    undo = reverse("studio:episode_restore", args=[episode.pk])
    messages.success(request, f"{episode.title} is in the trash.", extra_tags=f"undo:{undo}")
    return redirect("studio:episodes", episode.show_id)


@post_or_back("studio:trash")
@login_required
def episode_restore(request: HttpRequest, episode_id: UUID) -> HttpResponse:
    """Take an episode out of the trash; doing it twice is no error."""
    try:
        episode = get_episode(request.user, episode_id, Role.EDITOR, in_trash=True)
    except Http404:
        episode = get_episode(request.user, episode_id, Role.EDITOR)
    else:
        restore_episode(episode=episode)
    messages.success(request, f"{episode.title} is back.")
    return redirect("studio:episode", episode.pk)
