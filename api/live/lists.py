"""Which lists can be listened to, where their rows are, and who may."""

from uuid import UUID

from api.downloads.views import EpisodeDownloadsView, ShowDownloadsView
from api.episodes.views import AllEpisodesView, EpisodesView
from api.live.wishes import LiveList, Parts, Place
from api.uploads.views import OrganizationUploadsView
from apps.accounts.access import organizations_of
from apps.accounts.actors import Actor, show_limit_of, token_of
from apps.core.row_news import rows_group
from apps.downloads.counted import downloads_within
from apps.live.groups import Board
from apps.media.access import uploads_within
from podcasts.access import (
    episodes_within,
    get_episode,
    require_show,
    require_uploader,
    shows_of_member,
)


def _episodes_of(show_id: UUID) -> Place:
    return Place(rows_group("episodes", "show", show_id), (("show", show_id),))


def _show_episodes(actor: Actor, parts: Parts) -> list[Place]:
    require_show(actor, parts["show_id"])
    return [_episodes_of(parts["show_id"])]


def _all_episodes(actor: Actor, parts: Parts) -> list[Place]:
    """Of each organisation; of the one show that a token may be for."""
    limit = show_limit_of(actor)
    if limit is not None:
        shows = shows_of_member(actor).filter(pk=limit)
        return [_episodes_of(show_id) for show_id in shows.values_list("pk", flat=True)]
    ids = organizations_of(actor).values_list("pk", flat=True)
    return [
        Place(rows_group("episodes", "organization", pk), (("organization", pk),)) for pk in ids
    ]


def _uploads(actor: Actor, parts: Parts) -> list[Place]:
    """A token for one show hears of its own ones only: others may be another show's."""
    organization_id, token = parts["organization_id"], token_of(actor)
    require_uploader(actor, organization_id)
    within = (("organization", organization_id),)
    if token is not None and show_limit_of(actor) is not None:
        own = (*within, ("opened_with", token.pk))
        return [Place(rows_group("uploads", "token", token.pk), own)]
    return [Place(rows_group("uploads", "organization", organization_id), within)]


def _show_downloads(actor: Actor, parts: Parts) -> list[Place]:
    board = Board.of_show(parts["show_id"])
    require_show(actor, parts["show_id"])
    return [Place(board.group, (("show", parts["show_id"]),), board)]


def _episode_downloads(actor: Actor, parts: Parts) -> list[Place]:
    board = Board.of_episode(parts["episode_id"])
    show_id = get_episode(actor, parts["episode_id"]).show_id
    return [Place(board.group, (("show", show_id), ("episode", parts["episode_id"])), board)]


# By their addresses, which are the lists' own.
LISTS = {
    "shows/<uuid:show_id>/episodes/": LiveList(EpisodesView, _show_episodes, episodes_within),
    "episodes/": LiveList(AllEpisodesView, _all_episodes, episodes_within),
    "organizations/<uuid:organization_id>/uploads/": LiveList(
        OrganizationUploadsView, _uploads, uploads_within
    ),
    "shows/<uuid:show_id>/downloads/": LiveList(
        ShowDownloadsView, _show_downloads, downloads_within
    ),
    "episodes/<uuid:episode_id>/downloads/": LiveList(
        EpisodeDownloadsView, _episode_downloads, downloads_within
    ),
}
