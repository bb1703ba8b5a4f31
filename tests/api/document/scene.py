"""What the examples of the document are about: one organisation, small and whole."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.accounts.invitations import _digest
from apps.accounts.models import Invitation, Membership, Organization, User
from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.accounts.tokens import create_organization_token, create_token
from apps.media.models import Upload
from apps.media.uploads import open_upload
from podcasts.models import Episode, Show
from podcasts.services.trash import delete_episode, delete_show
from tests.factories import (
    AssetFactory,
    EpisodeFactory,
    MembershipFactory,
    OrganizationFactory,
    ShowFactory,
    UserFactory,
    WebhookDeliveryFactory,
)
from tests.live.making import download

MOMENT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CONTENT = b"Seven million bytes of sound, or so."
INVITATION = "b3BlbiBzZXNhbWUsIG9wZW4gc2VzYW1lIQ"


@dataclass(frozen=True)
class Scene:
    """Whose things they are, and which thing an address's parameter stands for."""

    owner: User
    organization: Organization
    ids: dict[str, Any]  # by the name of the parameter, or "operation.parameter"


def make_scene() -> Scene:
    """Rows in an order that never changes, at one moment."""
    owner = UserFactory(name="Ada Holt", email="ada@example.com", is_staff=True)
    organization = OrganizationFactory(name="Harbour Radio")
    own = MembershipFactory(organization=organization, user=owner, role=Role.OWNER)
    editor = UserFactory(name="Bo Lind", email="bo@example.com")
    member = MembershipFactory(organization=organization, user=editor, role=Role.EDITOR)
    ids = {"organization_id": organization.pk, "member_id": member.pk}
    show = _show(organization, owner, "Harbour Lights", "harbour-lights")
    ids |= {"show_id": show.pk} | _trashed_show(organization, owner)
    first = _heard_episode(show)
    ids |= {"episode_id": first.pk} | _other_episodes(show, first)
    ids |= _files(organization, owner)
    ids |= _tokens(own)
    ids |= _invitation(organization, owner)
    ids |= _delivery(organization, first)
    return Scene(owner, organization, ids)


def _trashed_show(organization: Organization, owner: User) -> dict[str, Any]:
    trashed = _show(organization, owner, "Low Tide", "low-tide")
    delete_show(show=trashed)
    return {"restore_show.show_id": trashed.pk}


def _heard_episode(show: Show) -> Episode:
    first = _episode(show, 1, "The first night")
    for hours, app, country in ((3, "Overcast", "NO"), (2, "AntennaPod", "SE"), (1, "", "")):
        download(first, at=MOMENT - timedelta(hours=hours), app=app, country=country)
    return first


def _other_episodes(show: Show, first: Episode) -> dict[str, Any]:
    """One in each state that something can be done about."""
    draft = _episode(show, 2, "Fog", status="draft", published_at=None)
    planned = _episode(
        show, 3, "The lamp", status="scheduled", published_at=MOMENT + timedelta(days=2)
    )
    gone = _episode(show, 4, "Lost keys")
    delete_episode(episode=gone)
    broken = AssetFactory(
        organization=show.organization,
        rendition=None,
        status="failed",
        progress=0,
        error_code="interrupted",
        error_message="The preparation was interrupted three times.",
    )
    failed = _episode(
        show, 5, "Storm", status="draft", published_at=None, audio=None, incoming_audio=broken
    )
    return {
        "publish_episode.episode_id": draft.pk,
        "schedule_episode.episode_id": draft.pk,
        "set_episode_audio.episode_id": draft.pk,
        "unschedule_episode.episode_id": planned.pk,
        "restore_episode.episode_id": gone.pk,
        "retry_episode_audio.episode_id": failed.pk,
        "dismiss_episode_audio.episode_id": failed.pk,
        "get_episode_audio.episode_id": failed.pk,
        "draft": draft.pk,
        "season": [str(one.pk) for one in (first, planned, draft, failed)],
    }


def _files(organization: Organization, owner: User) -> dict[str, Any]:
    upload = _upload(organization, owner)
    done = _upload(organization, owner, "fog.mp3", status="complete")
    spare = AssetFactory(organization=organization, filename="fog.mp3", upload=done)
    return {"upload_id": upload.pk, "complete_upload.upload_id": done.pk, "asset_id": spare.pk}


def _tokens(own: Membership) -> dict[str, Any]:
    token, _ = create_token(user=own.user, name="Nightly backup", scopes=(Scope.READ,))
    machine, _ = create_organization_token(
        actor=own, role=Role.EDITOR, name="Mixing desk", scopes=(Scope.WRITE, Scope.UPLOADS)
    )
    return {
        "token_id": token.pk,
        "get_organization_token.token_id": machine.pk,
        "revoke_organization_token.token_id": machine.pk,
    }


def _invitation(organization: Organization, owner: User) -> dict[str, Any]:
    invitation = Invitation.objects.create(
        organization=organization,
        email="cleo@example.com",
        role=Role.ANALYST,
        invited_by=owner,
        token_sha256=_digest("somebody else's"),
        expires_at=MOMENT + timedelta(days=7),
    )
    _invite_elsewhere(owner)
    return {"invitation_id": invitation.pk}


def _delivery(organization: Organization, first: Episode) -> dict[str, Any]:
    delivery = WebhookDeliveryFactory(
        endpoint__organization=organization,
        endpoint__url="https://example.com/hooks",
        endpoint__description="The newsroom’s board",
        event__data={"episode_id": str(first.pk), "title": first.title, "status": "published"},
        status="failed",
        next_attempt_at=None,
        finished_at=MOMENT,
    )
    return {"webhook_id": delivery.endpoint_id, "delivery_id": delivery.pk}


def _show(organization: Organization, owner: User, title: str, handle: str) -> Show:
    show: Show = ShowFactory(
        organization=organization,
        title=title,
        handle=handle,
        guid=UUID(int=len(handle)),
        description="Stories from a small port, told at night.",
        category="Society & Culture",
        author="Harbour Radio",
        owner_name=owner.name,
        owner_email=owner.email,
        time_zone="Europe/Oslo",
    )
    return show


def _episode(show: Show, number: int, title: str, **fields: Any) -> Episode:
    usual = {"published_at": MOMENT - timedelta(days=10 - number)}
    episode: Episode = EpisodeFactory(
        show=show,
        title=title,
        slug=title.lower().replace(" ", "-"),
        guid=f"harbour-lights-{number}",
        notes="With **Ada Holt**.",
        season_number=1,
        episode_number=number,
        **usual | fields,
    )
    return episode


def _upload(
    organization: Organization, owner: User, filename: str = "the-lamp.mp3", **fields: Any
) -> Upload:
    upload, _ = open_upload(
        organization=organization,
        actor=owner,
        filename=filename,
        size_bytes=len(CONTENT),
        fingerprint=f"{filename}-1",
    )
    Upload.objects.filter(pk=upload.pk).update(**{"status": "open"} | fields)
    return upload


def _invite_elsewhere(owner: User) -> None:
    """By which the owner can join another organisation."""
    other = MembershipFactory(organization__name="Lighthouse Press")
    Invitation.objects.create(
        organization=other.organization,
        email=owner.email,
        role=Role.ANALYST,
        invited_by=other.user,
        token_sha256=_digest(INVITATION),
        expires_at=MOMENT + timedelta(days=7),
    )
