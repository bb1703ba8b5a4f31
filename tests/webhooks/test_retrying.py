"""What is tried again, for how long, and when an endpoint is given up."""

from datetime import timedelta

import time_machine
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.core.clock import now
from apps.webhooks.emitting import emit
from apps.webhooks.models import WebhookEndpoint
from apps.webhooks.schedule import MAX_ATTEMPTS, PAUSES, pause_after
from apps.webhooks.sending import send_due
from tests.conftest import People
from tests.webhooks.receiver import Receiver
from tests.webhooks.telling import UPDATED, pass_time, tell


def test_a_broken_receiver_is_asked_ten_times_over_three_days(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.status, receiver.body = 500, b"Out of order"
    with time_machine.travel(now(), tick=False) as clock:
        delivery = tell(endpoint)
        send_due()
        for number, pause in enumerate(PAUSES, 1):
            assert len(receiver.received) == number
            clock.shift(pause - timedelta(seconds=1))
            send_due()
            assert len(receiver.received) == number, "before its time"
            clock.shift(pause * 0.1 + timedelta(seconds=2))
            send_due()
        assert len(receiver.received) == MAX_ATTEMPTS == 10
        clock.shift(timedelta(days=2))
        send_due()
    assert len(receiver.received) == MAX_ATTEMPTS
    assert {one.id for one in receiver.received} == {delivery.event_id}
    stamps = [int(one.headers["webhook-timestamp"]) for one in receiver.received]
    assert stamps == sorted(set(stamps)), "each attempt is signed at its own moment"
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    attempts = list(delivery.attempts.all())
    assert [attempt.number for attempt in attempts] == list(range(1, 11))
    assert attempts[0].error == "The receiver answered 500 Internal Server Error."
    assert attempts[0].response_excerpt == "Out of order"


def test_pauses_have_jitter_and_an_end() -> None:
    for number, pause in enumerate(PAUSES, 1):
        drawn = {pause_after(number) for _ in range(20)}
        assert len(drawn) > 1
        assert all(one is not None and pause <= one <= pause * 1.1 for one in drawn)
    assert pause_after(len(PAUSES) + 1) is None


def test_a_receiver_that_comes_back_gets_the_message(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.status = 503
    with time_machine.travel(now(), tick=False) as clock:
        delivery = tell(endpoint)
        send_due()
        endpoint.refresh_from_db()
        assert endpoint.failing_since is not None
        receiver.status = 200
        pass_time(clock, PAUSES[0])
        send_due()
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert (delivery.status, delivery.attempt_count) == ("succeeded", 2)
    assert endpoint.failing_since is None


def test_gone_means_gone(
    people: People,
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    receiver.status = 410
    first, second = tell(endpoint), tell(endpoint)
    with django_capture_on_commit_callbacks(execute=True):
        send_due()
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "gone")
    for delivery in (first, second):
        delivery.refresh_from_db()
        assert delivery.status == "failed"
    assert emit(organization_id=people.organization.pk, event_type=UPDATED, data={}) is None
    assert {to for message in mail.outbox for to in message.to} == {
        people.owner.email,
        people.admin.email,
    }
    assert receiver.url in mail.outbox[0].body
    assert f"/studio/organization/webhooks/{endpoint.pk}/" in mail.outbox[0].body


def test_five_days_of_failures_switch_an_endpoint_off(
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    receiver.status = 500
    with time_machine.travel(now(), tick=False) as clock:
        tell(endpoint)
        send_due()
        clock.shift(timedelta(days=4, hours=23))
        send_due()
        endpoint.refresh_from_db()
        assert endpoint.is_enabled
        clock.shift(timedelta(hours=2))
        tell(endpoint)
        with django_capture_on_commit_callbacks(execute=True):
            send_due()
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, "failing")
    assert "Every message to it has failed since" in mail.outbox[0].body


def test_one_message_that_arrives_begins_the_five_days_anew(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        for status in (500, 200, 500):
            receiver.status = status
            tell(endpoint)
            send_due()
            clock.shift(timedelta(days=3))
    endpoint.refresh_from_db()
    assert endpoint.is_enabled
