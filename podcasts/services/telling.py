"""What other people's servers are told of episodes and uploads: the payloads of webhooks."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from apps.media.models import Asset
from apps.webhooks.emitting import emit, is_wanted
from apps.webhooks.event_types import EventType
from podcasts import urls
from podcasts.models import Episode, EpisodeStatus, Show
from podcasts.querysets import EpisodeQuerySet


def is_told_public(episode: Episode) -> bool:
    """Whether it counts as published for whoever follows the events.

    A scheduled one does so once the clock's job has published it, not a moment earlier.
    """
    is_alive = episode.deleted_at is None and episode.show.deleted_at is None
    return is_alive and episode.status == EpisodeStatus.PUBLISHED


def tell_change(episode: Episode, *, was_public: bool) -> None:
    """In a change's transaction: published, unpublished or otherwise changed.

    ``was_public`` is what :func:`is_told_public` said before the change, so that an episode that
    stays public is never told as new, whatever happens to its date.
    """
    match was_public, is_told_public(episode):
        case False, True:
            event_type = EventType.EPISODE_PUBLISHED
        case True, False:
            event_type = EventType.EPISODE_UNPUBLISHED
        case _:
            event_type = EventType.EPISODE_UPDATED
    emit(
        organization_id=episode.organization_id,
        event_type=event_type,
        show_id=episode.show_id,
        data=lambda: _episode_data(episode),
    )


def tell_show_came_or_went(show: Show) -> None:
    """In the transaction that puts a show into the trash or takes it out: of all its episodes."""
    went = show.deleted_at is not None
    event_type = EventType.EPISODE_UNPUBLISHED if went else EventType.EPISODE_PUBLISHED
    if not is_wanted(show.organization_id, event_type, show.pk):
        return
    public = Episode.objects.for_show(show).filter(status=EpisodeStatus.PUBLISHED, deleted_at=None)
    for episode in _with_audio(public, show):
        tell_change(episode, was_public=went)


def tell_renumbered(show: Show, episode_ids: Iterable[UUID]) -> None:
    """In the transaction that gives several living episodes other numbers."""
    if not is_wanted(show.organization_id, EventType.EPISODE_UPDATED, show.pk):
        return
    episodes = Episode.objects.for_show(show).filter(pk__in=list(episode_ids)).order_by("pk")
    for episode in _with_audio(episodes, show):
        tell_change(episode, was_public=is_told_public(episode))


def _with_audio(episodes: EpisodeQuerySet, show: Show) -> Iterator[Episode]:
    for episode in episodes.select_related("audio").prefetch_related("audio__renditions"):
        episode.show = show
        yield episode


def tell_processed(asset: Asset, episode_ids: Iterable[UUID]) -> None:
    """In the transaction that makes an uploaded file ready or failed; for whom it was."""
    ids = list(episode_ids)
    shows = Episode.objects.filter(pk__in=ids).values_list("show_id", flat=True).distinct()
    # Hardly ever more than one. A file that nobody waits for any more is the organisation's.
    for_shows: list[UUID | None] = [*shows]
    for show_id in for_shows or [None]:
        emit(
            organization_id=asset.organization_id,
            event_type=EventType.UPLOAD_PROCESSED,
            show_id=show_id,
            data=_upload_data(asset, show_id, ids),
        )


def _episode_data(episode: Episode) -> dict[str, Any]:
    show, at = episode.show, episode.published_at
    rendition = episode.audio.rendition if episode.audio else None
    is_public = is_told_public(episode)
    is_trashed = episode.deleted_at is not None or show.deleted_at is not None
    return {
        "organization_id": str(episode.organization_id),
        "show_id": str(show.pk),
        "show_title": show.title,
        "episode_id": str(episode.pk),
        "guid": episode.guid,
        "title": episode.title,
        "status": "trashed" if is_trashed else episode.status,
        "published_at": at.isoformat().replace("+00:00", "Z") if at else None,
        "url": urls.episode_url(show, episode) if is_public else None,
        "audio_url": urls.enclosure_url(episode, rendition) if is_public and rendition else None,
        "api_url": urls.episode_api_url(episode.pk),
    }


def _upload_data(asset: Asset, show_id: UUID | None, episode_ids: list[UUID]) -> dict[str, Any]:
    error = {"code": asset.error_code, "detail": asset.error_message}
    return {
        "organization_id": str(asset.organization_id),
        "show_id": str(show_id) if show_id else None,
        "episode_ids": [str(pk) for pk in episode_ids],
        "upload_id": str(asset.upload_id) if asset.upload_id else None,
        "asset_id": str(asset.pk),
        "filename": asset.filename,
        "status": asset.status,
        "error": error if asset.error_code else None,
        "api_urls": [f"{urls.episode_api_url(pk)}audio/" for pk in episode_ids],
    }
