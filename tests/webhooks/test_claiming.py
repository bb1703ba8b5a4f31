"""Several workers, and those that die: who sends what."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine

from apps.core.clock import now
from apps.webhooks.claiming import LEASE, claim_due
from apps.webhooks.endpoints import create_endpoint
from apps.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from apps.webhooks.outcome import Outcome
from apps.webhooks.recording import record_outcome
from apps.webhooks.schedule import MAX_ATTEMPTS
from apps.webhooks.sending import send_due
from tests.conftest import People
from tests.webhooks.receiver import Receiver
from tests.webhooks.telling import UPDATED, tell


def claim() -> list[Any]:
    return claim_due(busy={}, room=64, room_for_failing=24)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_take_the_same_message(
    endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.webhooks.emitting.send_soon", lambda: None)
    for _ in range(40):
        tell(endpoint)
    taken: list[Any] = []
    together = threading.Barrier(4)

    def work() -> None:
        from django.db import connection

        try:
            together.wait(10)
            for _ in range(20):
                taken.extend(claim())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    numbers = [(one.delivery_id, one.number) for one in taken]
    assert len(numbers) == len(set(numbers)) == 40
    assert WebhookAttempt.objects.count() == 40


@pytest.mark.django_db(transaction=True)
def test_while_one_job_sends_another_does_nothing_and_misses_nothing(
    endpoint: WebhookEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.webhooks.emitting.send_soon", lambda: None)
    is_asked, may_answer = threading.Event(), threading.Event()

    def slow() -> None:
        is_asked.set()
        may_answer.wait(10)

    receiver.before_answer = slow
    tell(endpoint)
    job = threading.Thread(target=in_own_connection(send_due))
    job.start()
    try:
        assert is_asked.wait(10)
        before = len(receiver.received)
        tell(endpoint)  # committed, and its own job sends nothing…
        send_due()
    finally:
        may_answer.set()
        job.join(30)
    assert before == 1
    assert len(receiver.messages()) == 2  # …but the one that was sending does
    assert {delivery.status for delivery in WebhookDelivery.objects.all()} == {"succeeded"}


def in_own_connection(work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        from django.db import connection

        try:
            work()
        finally:
            connection.close()

    return run


def test_a_worker_that_died_before_it_wrote_down_the_outcome_is_followed_by_another(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    """Nobody knows whether the message arrived: it arrives at least once, with the same id."""
    delivery = tell(endpoint)
    with time_machine.travel(now(), tick=False) as clock:
        (lost,) = claim()
        send_due()
        assert receiver.received == [], "it is still the first one's"
        clock.shift(LEASE)
        send_due()
        assert [one.id for one in receiver.received] == [delivery.event_id]
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempt_count) == ("succeeded", 2)
        # The first one was only slow, and says so now.
        record_outcome(lost, Outcome(500, 70_000, error="Too late."))
    delivery.refresh_from_db()
    assert delivery.status == "succeeded"
    assert [attempt.status_code for attempt in delivery.attempts.all()] == [500, 204]


def test_a_message_that_kills_its_workers_ends(endpoint: WebhookEndpoint) -> None:
    delivery = tell(endpoint)
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(MAX_ATTEMPTS):
            assert len(claim()) == 1
            clock.shift(LEASE)
        assert claim() == []
    delivery.refresh_from_db()
    assert delivery.status == "failed"


def test_an_endpoint_deleted_meanwhile_is_no_error(endpoint: WebhookEndpoint) -> None:
    tell(endpoint)
    (taken,) = claim()
    endpoint.delete()
    record_outcome(taken, Outcome(200, 1))
    assert not WebhookAttempt.objects.exists()


def test_slow_and_dead_receivers_leave_room_for_the_others(endpoint: WebhookEndpoint) -> None:
    for _ in range(10):
        tell(endpoint)
    assert len(claim_due(busy={}, room=64, room_for_failing=24)) == 4  # at once to one endpoint
    assert claim_due(busy={endpoint.pk: 4}, room=60, room_for_failing=24) == []
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=now())
    assert claim_due(busy={}, room=64, room_for_failing=0) == []
    assert len(claim_due(busy={}, room=64, room_for_failing=24)) == 1


def test_those_that_answer_go_before_those_that_fail(
    endpoint: WebhookEndpoint, people: People
) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=now())
    tell(endpoint)
    healthy, _ = create_endpoint(
        organization=people.organization,
        created_by=None,
        url="http://127.0.0.1:1/",
        events=[UPDATED],
    )
    event = WebhookEvent.objects.latest("created_at")
    WebhookDelivery.objects.create(event=event, endpoint=healthy)
    assert [one.endpoint_id for one in claim()] == [healthy.pk, endpoint.pk]
