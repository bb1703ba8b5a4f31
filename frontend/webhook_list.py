"""Webhooks as pages show them: in words, with the badges that go with them."""

from collections.abc import Iterable
from dataclasses import dataclass

from apps.webhooks.event_types import EventType
from apps.webhooks.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from podcasts.querysets import ShowQuerySet

_EVENT_WORDS = dict(EventType.choices)
_DELIVERY_BADGES = {
    DeliveryStatus.SUCCEEDED: ("ready", "Arrived"),
    DeliveryStatus.FAILED: ("failed", "Failed"),
}


@dataclass(frozen=True, slots=True)
class Badge:
    """A kind of badge and its word."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """One line of the list."""

    endpoint: WebhookEndpoint
    health: Badge
    events: list[str]  # in words
    show: str  # a title; empty for all shows


def webhook_rows(endpoints: Iterable[WebhookEndpoint], shows: ShowQuerySet) -> list[WebhookRow]:
    """The lines for these endpoints of one organisation, whose shows are given."""
    found = list(endpoints)
    ids = {endpoint.show_id for endpoint in found if endpoint.show_id}
    titles = dict(shows.filter(pk__in=ids).values_list("id", "title")) if ids else {}
    return [
        WebhookRow(
            endpoint=endpoint,
            health=health(endpoint),
            events=[_EVENT_WORDS.get(event, event) for event in endpoint.events],
            show=titles.get(endpoint.show_id, "A show that is gone") if endpoint.show_id else "",
        )
        for endpoint in found
    ]


def health(endpoint: WebhookEndpoint) -> Badge:
    """Whether messages arrive there."""
    if not endpoint.is_enabled:
        return Badge("unpublished", "Off")
    if endpoint.failing_since is not None:
        return Badge("failed", "Failing")
    if endpoint.last_success_at is not None:
        return Badge("ready", "Works")
    return Badge("draft", "Not used yet")


def delivery_badge(delivery: WebhookDelivery) -> Badge:
    """How a delivery goes."""
    if delivery.status in _DELIVERY_BADGES:
        return Badge(*_DELIVERY_BADGES[DeliveryStatus(delivery.status)])
    return Badge("pending", "Tried again" if delivery.attempt_count else "On its way")
