"""From an event to somebody else's server: signed, and written down."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings
from standardwebhooks import Webhook, WebhookVerificationError

from apps.core.clock import now
from apps.webhooks.emitting import emit
from apps.webhooks.endpoints import rotate_secret, send_test, update_endpoint
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from apps.webhooks.pruning import prune
from apps.webhooks.sending import send_due
from tests.conftest import People
from tests.webhooks.receiver import Receiver
from tests.webhooks.telling import UPDATED, tell


def test_a_message_arrives_signed_and_is_written_down(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.status, receiver.body = 200, b"Thank you \x00!"
    delivery = tell(endpoint, title="Größe", number=1)
    send_due()
    (got,) = receiver.received
    message = got.verified(receiver.secret)
    assert message["type"] == "episode.updated"
    assert message["data"] == {"title": "Größe", "number": 1}
    assert message["timestamp"].endswith("Z")
    assert got.id == delivery.event_id
    assert got.id.startswith("msg_")
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("Longwave-Webhooks/1 (+http")
    assert got.headers["webhook-signature"].startswith("v1,")
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    (attempt,) = delivery.attempts.all()
    assert (delivery.status, attempt.status_code, attempt.error) == ("succeeded", 200, "")
    assert attempt.duration_ms is not None
    assert endpoint.last_success_at is not None
    assert endpoint.failing_since is None


def test_a_changed_body_or_another_secret_is_not_believed(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    tell(endpoint, a=1)
    send_due()
    (got,) = receiver.received
    with pytest.raises(WebhookVerificationError):
        Webhook(receiver.secret).verify(got.body.replace(b"1", b"2", 1), got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "QUFB" * 8).verify(got.body, got.headers)


def test_both_secrets_sign_for_a_day_after_a_rotation(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    first = receiver.secret
    with time_machine.travel(now(), tick=False) as clock:
        _, second = rotate_secret(endpoint=endpoint)
        tell(endpoint)
        send_due()
        assert receiver.received[0].verified(first) == receiver.received[0].verified(second)
        clock.shift(timedelta(hours=24, seconds=1))
        tell(endpoint)
        send_due()
        assert receiver.received[1].verified(second)
        with pytest.raises(WebhookVerificationError):
            receiver.received[1].verified(first)


def test_secrets_survive_a_change_of_the_installations_key(
    endpoint: WebhookEndpoint, receiver: Receiver, settings: Settings
) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key, as long as such a key has to be"
    delivery = tell(endpoint)
    send_due()
    assert receiver.received == []
    assert "Rotate the secret" in delivery.attempts.get().error
    settings.SECRET_KEY_FALLBACKS = [old]
    replay = tell(endpoint)
    send_due()
    assert [one.id for one in receiver.received] == [replay.event_id]
    assert receiver.messages()


def test_nobody_is_told_of_what_they_did_not_choose(
    people: People, endpoint: WebhookEndpoint, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    update_endpoint(endpoint=endpoint, events=[EventType.EPISODE_PUBLISHED])
    asked: list[int] = []

    def data() -> dict[str, Any]:
        asked.append(1)
        return {}

    with django_assert_num_queries(1):
        assert emit(organization_id=people.organization.pk, event_type=UPDATED, data=data) is None
    assert asked == []
    assert not WebhookEvent.objects.exists()


def test_an_endpoint_of_one_show_hears_of_that_show_only(endpoint: WebhookEndpoint) -> None:
    ours, other = endpoint.pk, endpoint.organization_id  # any two ids
    update_endpoint(endpoint=endpoint, show_id=ours)
    heard = []
    for show in (ours, other, None):
        event = emit(
            organization_id=endpoint.organization_id, event_type=UPDATED, data={}, show_id=show
        )
        heard.append(event is not None)
    assert heard == [True, False, False]


def test_what_is_rolled_back_is_told_to_nobody(endpoint: WebhookEndpoint) -> None:
    with transaction.atomic():
        tell(endpoint)
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


def test_a_commit_sends_at_once(
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tell(endpoint)
    assert len(receiver.messages()) == 1


def test_a_test_is_sent_once_and_whatever_was_chosen(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    update_endpoint(endpoint=endpoint, events=[EventType.DOWNLOADS_MILESTONE])
    receiver.status = 500
    delivery = send_test(endpoint=endpoint)
    send_due()
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    (message,) = receiver.messages()
    assert (message["type"], message["data"]) == ("ping", {"webhook_id": str(endpoint.pk)})


def test_the_log_is_kept_as_long_as_the_setting_says(
    endpoint: WebhookEndpoint, settings: Settings
) -> None:
    settings.WEBHOOK_LOG_LIFETIME = timedelta(days=30)
    with time_machine.travel(now() - timedelta(days=31), tick=False):
        tell(endpoint)
        send_due()
    kept = tell(endpoint)
    assert prune() == 1
    assert list(WebhookDelivery.objects.all()) == [kept]
    assert prune() == 0


def test_the_stored_secret_can_not_be_read_from_the_row(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    endpoint.refresh_from_db()
    stored = bytes(endpoint.secret_sealed)
    assert receiver.secret.encode() not in stored
    assert json.dumps(receiver.secret).strip('"').removeprefix("whsec_").encode() not in stored
