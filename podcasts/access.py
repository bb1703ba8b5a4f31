"""The only door to shows and episodes: 404 for a stranger, 403 for too weak a role."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import FETCH_RAISE, QuerySet
from django.http import Http404

from apps.accounts.access import membership_condition, require_role
from apps.accounts.actors import Actor, show_limit_of
from apps.accounts.models import Membership, Organization
from apps.accounts.roles import Role
from podcasts.models import Episode, Handle, Show
from podcasts.querysets import EpisodeQuerySet, ShowQuerySet


def shows_of(organization: Organization) -> ShowQuerySet:
    """The living shows of an organisation that the caller was let into, by title."""
    return (
        Show.objects.for_organization(organization)
        .alive()
        .select_related("artwork")
        .fetch_mode(FETCH_RAISE)
        .order_by("title", "id")
    )


def shows_of_member(actor: Actor) -> ShowQuerySet:
    """The living shows of all organisations that the actor belongs to, bare."""
    return Show.objects.filter(membership_condition(actor, show_path="id")).alive()


def get_show(
    actor: Actor,
    show_id: UUID,
    needed: Role = Role.ANALYST,
    *,
    in_trash: bool = False,
) -> Show:
    """A show of one of the actor's organisations, with its organisation and artwork."""
    shows = Show.objects.in_trash() if in_trash else Show.objects.alive()
    show = shows.filter(id=show_id).select_related("organization", "artwork").first()
    if show is None:
        raise Http404("There is no such show.")
    require_role(actor, show.organization_id, needed, show_id=show.id)
    return show


def handles_of(show: Show) -> QuerySet[Handle]:
    """The handles that a show has or had, whose caller was let into it, bare."""
    return Handle.objects.filter(show=show)


def episodes_of(show: Show) -> EpisodeQuerySet:
    """The living episodes of a show that the caller was let into, newest first, media included."""
    return (
        Episode.objects.for_show(show)
        .alive()
        .with_media()
        .order_by("-published_at", "-created_at", "-id")
    )


def once_public(show: Show, at: datetime) -> EpisodeQuerySet:
    """Episodes that are or were public, newest first, with no more than tables and charts show."""
    return (
        episodes_of(show)
        .filter(published_at__lte=at)
        .select_related(None)
        .prefetch_related(None)
        .only("id", "title", "published_at")
    )


def require_show(actor: Actor, show_id: UUID) -> None:
    """Http404 unless the actor may see this show; for whoever needs nothing else of it."""
    if not shows_of_member(actor).filter(pk=show_id).exists():
        raise Http404("There is no such show.")


def episodes_of_member(actor: Actor) -> EpisodeQuerySet:
    """The living episodes of all shows that the actor may see, bare."""
    return Episode.objects.filter(membership_condition(actor, show_path="show")).alive()


def episodes_within(**within: UUID) -> EpisodeQuerySet:
    """The living episodes of a ``show`` or ``organization`` that the caller was let into, bare."""
    return Episode.objects.filter(**within).alive()


def get_episode(
    actor: Actor,
    episode_id: UUID,
    needed: Role = Role.ANALYST,
    *,
    in_trash: bool = False,
) -> Episode:
    """An episode of one of the actor's organisations, with everything its page shows."""
    episodes = Episode.objects.in_trash() if in_trash else Episode.objects.alive()
    episode = episodes.filter(id=episode_id).with_media().first()
    if episode is None:
        raise Http404("There is no such episode.")
    require_role(actor, episode.organization_id, needed, show_id=episode.show_id)
    return episode


def require_uploader(actor: Actor, organization_id: UUID) -> Membership:
    """As what the actor may send files to an organisation; Http404, PermissionDenied.

    A token for one show may as well, to the show's organisation: its episodes need audio.
    """
    limit = show_limit_of(actor)
    if limit is not None and get_show(actor, limit).organization_id != organization_id:
        raise Http404("There is no such page.")
    return require_role(actor, organization_id, Role.EDITOR, show_id=limit)


def shows_for_platform(show_ids: Iterable[UUID]) -> dict[UUID, Show]:
    """These shows of whatever organisation, the trash included; for the platform's staff only."""
    return Show.objects.in_bulk(list(show_ids))


def trash_of(organization: Organization) -> tuple[ShowQuerySet, EpisodeQuerySet]:
    """What an organisation can restore: its deleted shows and episodes, latest first."""
    shows = Show.objects.for_organization(organization).in_trash().order_by("-deleted_at")
    episodes = (
        Episode.objects.filter(organization=organization)
        .in_trash()
        .select_related("show")
        .order_by("-deleted_at")
    )
    return shows, episodes


def time_zone_of_show(show_id: UUID) -> ZoneInfo:
    """Whose days a show's figures are of; UTC's when there is no such show (any more)."""
    name = Show.objects.filter(pk=show_id).values_list("time_zone", flat=True).first()
    return ZoneInfo(name or "UTC")


def time_zones_of_shows(organization_id: UUID) -> dict[UUID, ZoneInfo]:
    """Whose days the figures of each of an organisation's shows are of, the trash included."""
    shows = Show.objects.filter(organization_id=organization_id)
    return {show: ZoneInfo(name) for show, name in shows.values_list("pk", "time_zone")}


def place_of_episode(episode_id: UUID) -> tuple[UUID, ZoneInfo] | None:
    """An episode's show, and whose days its figures are of."""
    episodes = Episode.objects.filter(pk=episode_id)
    found = episodes.values_list("show_id", "show__time_zone").first()
    return (found[0], ZoneInfo(found[1])) if found else None
