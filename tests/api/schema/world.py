"""Two tenants in an instance's database, told to whoever started this.

``python -m tests.api.schema.world NAME``: no two worlds of one instance have the same name.
"""

import json
import sys
from datetime import timedelta
from typing import Any
from uuid import uuid4

import django
from django.conf import settings

django.setup()
# Nobody signs in here, so nobody waits for passwords of a good kind.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

from django.test import Client  # noqa: E402

from apps.accounts.models import Invitation, Membership, Organization, User  # noqa: E402
from apps.accounts.roles import Role  # noqa: E402
from apps.accounts.scopes import Scope  # noqa: E402
from apps.accounts.tokens import create_organization_token, create_token  # noqa: E402
from apps.core.clock import now  # noqa: E402
from apps.media.models import Upload  # noqa: E402
from apps.media.uploads import open_upload  # noqa: E402
from apps.webhooks.models import WebhookDelivery  # noqa: E402
from podcasts.models import Episode  # noqa: E402
from podcasts.services.trash import delete_episode, delete_show  # noqa: E402
from tests.factories import (  # noqa: E402
    EpisodeFactory,
    MembershipFactory,
    OrganizationFactory,
    ShowFactory,
    UserFactory,
    WebhookDeliveryFactory,
)

MARKS = ("zebra", "quokka")  # the tenant that is asked for, and another
SHOWS, EPISODES = 12, 4  # so many that a deletion leaves enough for the next operation

type Ids = dict[str, list[str]]


def tenant(mark: str) -> tuple[Organization, Ids]:
    """An organisation of which every text and every address has the mark in it.

    Its ids are those that may be deleted: neither the owner nor whoever asks as an analyst.
    """
    organization = OrganizationFactory(name=f"{mark} radio")
    for role in Role:
        person = UserFactory(email=f"{mark}-{role.value}@example.com", name=f"{mark} {role.value}")
        MembershipFactory(organization=organization, user=person, role=role)
    for number in range(6):
        person = UserFactory(email=f"{mark}-{number}@example.com", name=f"{mark} {number}")
        MembershipFactory(organization=organization, user=person, role=Role.ANALYST)
    owner, asking = (member_who_asks(organization, role) for role in (Role.OWNER, Role.ANALYST))
    shows = [_show(organization, mark, number) for number in range(SHOWS)]
    delete_show(show=shows[-1])
    uploads = [_upload(organization, owner.user, mark, number) for number in range(6)]
    tokens = [_machine(owner, mark, number) for number in range(4)]
    deliveries = [_delivery(organization, mark, number) for number in range(6)]
    episodes = Episode.objects.filter(organization=organization)
    return organization, {
        "organization_id": [str(organization.pk)],
        "show_id": [str(show.pk) for show in shows],
        "episode_id": [str(episode.pk) for episode in episodes],
        "asset_id": [str(episode.audio_id) for episode in episodes if episode.audio_id],
        "upload_id": [str(upload.pk) for upload in uploads],
        "token_id": tokens,
        "webhook_id": [str(one.endpoint_id) for one in deliveries],
        "delivery_id": [str(one.pk) for one in deliveries],
        "invitation_id": [_invitation(owner, mark, number) for number in range(6)],
        "member_id": [
            str(one.pk)
            for one in Membership.objects.filter(organization=organization).exclude(
                pk__in=[owner.pk, asking.pk]
            )
        ],
    }


def member_who_asks(organization: Organization, role: Role) -> Membership:
    """As whom requests are sent."""
    return Membership.objects.filter(organization=organization, role=role).earliest("pk")


def _show(organization: Organization, mark: str, number: int) -> Any:
    show = ShowFactory(
        organization=organization,
        title=f"{mark} show {number}",
        handle=f"{mark}-{number}",
        guid=uuid4(),
        description=f"{mark} things",
        owner_email=f"{mark}@example.com",
    )
    states = [{}, {}, {"status": "draft", "published_at": None, "audio": None}, {}]
    for count, state in zip(range(EPISODES), states, strict=True):
        episode = EpisodeFactory(
            show=show,
            title=f"{mark} episode {number}.{count}",
            slug=f"{mark}-{number}-{count}",
            **state,
        )
    delete_episode(episode=episode)
    return show


def _upload(organization: Organization, person: User, mark: str, number: int) -> Upload:
    upload, _ = open_upload(
        organization=organization,
        actor=person,
        filename=f"{mark}-{number}.mp3",
        size_bytes=5,
        fingerprint=f"{mark} {number}",
    )
    return upload


def _machine(owner: Membership, mark: str, number: int) -> str:
    token, _ = create_organization_token(
        actor=owner, role=Role.EDITOR, name=f"{mark} machine {number}", scopes=tuple(Scope)
    )
    return str(token.pk)


def _delivery(organization: Organization, mark: str, number: int) -> WebhookDelivery:
    delivery: WebhookDelivery = WebhookDeliveryFactory(
        endpoint__organization=organization,
        endpoint__description=f"{mark} hook {number}",
        endpoint__url="https://127.0.0.1:9/",
        event__data={"title": f"{mark} title"},
        status="succeeded",
        next_attempt_at=None,
        finished_at=now(),
    )
    return delivery


def _invitation(owner: Membership, mark: str, number: int) -> str:
    invitation = Invitation.objects.create(
        organization=owner.organization,
        email=f"{mark}-invited-{number}@example.com",
        role=Role.ANALYST,
        invited_by=owner.user,
        token_sha256=f"{mark} {number}",
        expires_at=now() + timedelta(days=7),
    )
    return str(invitation.pk)


def ways_in(person: User) -> dict[str, dict[str, str]]:
    """The headers by which somebody is let in: by a token, and by a session."""
    _, secret = create_token(user=person, name="A script", scopes=tuple(Scope))
    client = Client()
    client.force_login(person)
    csrf = "a" * 32
    cookies = f"sessionid={client.cookies['sessionid'].value}; csrftoken={csrf}"
    return {
        "token": {"Authorization": f"Bearer {secret}"},
        "session": {"Cookie": cookies, "X-CSRFToken": csrf},
    }


def main(name: str) -> None:
    """Make all of it, and print where it is and how to get in."""
    world: dict[str, Any] = {"tenants": {}, "people": {}}
    for mark in MARKS:
        organization, ids = tenant(f"{mark}-{name}")
        world["tenants"][mark] = ids
        for role in (Role.OWNER, Role.ANALYST):
            person = role.value if mark == MARKS[0] else "stranger"
            member = member_who_asks(organization, role)
            world["people"].setdefault(person, ways_in(member.user))
    staff = UserFactory(is_staff=True, email=f"staff-{name}@example.com", name="Staff")
    world["people"]["staff"] = ways_in(staff)
    json.dump(world, sys.stdout)


main(sys.argv[1])
