"""What was sent before is sent again when it is asked for, and what waited."""

from datetime import timedelta

import time_machine

from apps.core.clock import now
from apps.webhooks.endpoints import send_test, update_endpoint
from apps.webhooks.models import WebhookEndpoint
from apps.webhooks.replaying import replay_delivery, replay_failed
from apps.webhooks.schedule import PAUSES
from apps.webhooks.sending import send_due
from tests.webhooks.receiver import Receiver
from tests.webhooks.telling import fail_for_good, pass_time, tell


def test_a_replay_is_the_same_message_with_all_its_attempts(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    delivery = fail_for_good(endpoint, receiver)
    with time_machine.travel(now(), tick=False) as clock:
        replay_delivery(delivery=delivery)
        send_due()
        pass_time(clock, PAUSES[0])
        receiver.status = 200
        send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == ("succeeded", 3)
    assert len({one.id for one in receiver.received}) == 1
    assert len({one.body for one in receiver.received}) == 1


def test_what_arrived_may_be_replayed_as_well(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    delivery = tell(endpoint)
    send_due()
    delivery.refresh_from_db()
    replay_delivery(delivery=delivery)
    send_due()
    assert len(receiver.messages()) == 2


def test_all_that_failed_since_a_moment_is_replayed(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        fail_for_good(endpoint, receiver)
        clock.shift(timedelta(hours=1))
        since = now()
        later = fail_for_good(endpoint, receiver)
        send_test(endpoint=endpoint)
        send_due()
        receiver.received.clear()
        receiver.status = 200
        assert replay_failed(endpoint=endpoint, since=since) == 1
        send_due()
    assert [one.id for one in receiver.received] == [later.event_id]


def test_switching_off_ends_what_waits_and_on_again_brings_it_back(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.status = 500
    delivery = tell(endpoint)
    send_due()
    update_endpoint(endpoint=endpoint, is_enabled=False)
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    endpoint = update_endpoint(endpoint=endpoint, is_enabled=True)
    assert endpoint.failing_since is None
    receiver.status = 200
    assert replay_failed(endpoint=endpoint, since=now() - timedelta(hours=1)) == 1
    send_due()
    delivery.refresh_from_db()
    assert delivery.status == "succeeded"
