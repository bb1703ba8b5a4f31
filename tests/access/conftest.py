"""A tenant's things."""

from typing import Any

import pytest
from django.conf import settings

from apps.accounts.models import Invitation
from apps.core.clock import now
from apps.media.models import Upload
from tests.access.rows import World
from tests.conftest import People
from tests.factories import (
    EpisodeFactory,
    MembershipFactory,
    ShowFactory,
    WebhookDeliveryFactory,
    WebhookEndpointFactory,
)
from tests.programs import token_of_organization

ENDED: dict[str, Any] = {"next_attempt_at": None, "finished_at": now()}


@pytest.fixture
def world(people: People, clean_valkey: None) -> World:
    """One of each kind."""
    ours = ShowFactory(organization=people.organization, handle="ours")
    return World(
        people=people,
        show=ours,
        draft=EpisodeFactory(show=ours, status="draft", slug="draft"),
        published=EpisodeFactory(show=ours, slug="published"),
        trashed_show=ShowFactory(organization=people.organization, deleted_at=now()),
        trashed_episode=EpisodeFactory(show=ours, status="draft", deleted_at=now()),
        upload=Upload.objects.create(
            organization=people.organization,
            created_by=people.editor,
            filename="a.mp3",
            size_bytes=10,
            part_size_bytes=10,
            expires_at=now() + settings.UPLOAD_LIFETIME,
        ),
        membership=MembershipFactory(organization=people.organization, role="analyst"),
        invitation=Invitation.objects.create(
            organization=people.organization,
            email="somebody@example.com",
            role="editor",
            token_sha256="0" * 64,
            expires_at=now() + settings.INVITATION_LIFETIME,
        ),
        token=token_of_organization(people.organization)[0],
        webhook=(endpoint := WebhookEndpointFactory(organization=people.organization)),
        delivery=WebhookDeliveryFactory(endpoint=endpoint, status="failed", **ENDED),
    )
