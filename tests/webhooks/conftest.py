"""A receiver on this machine, and an endpoint that it stands behind."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.webhooks.endpoints import create_endpoint
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookEndpoint
from tests.conftest import People
from tests.webhooks.receiver import Receiver, receiving


@pytest.fixture
def own_network(settings: Settings) -> None:
    """Messages may go to this machine, without TLS."""
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    settings.WEBHOOK_ALLOW_HTTP = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that answers 204 until it is told otherwise."""
    with receiving() as server:
        yield server


@pytest.fixture
def endpoint(people: People, receiver: Receiver, own_network: None) -> WebhookEndpoint:
    """The organisation's endpoint, which wants all events and is the receiver."""
    made, receiver.secret = create_endpoint(
        organization=people.organization,
        created_by=people.owner,
        url=receiver.url,
        events=list(EventType.values),
    )
    return made
