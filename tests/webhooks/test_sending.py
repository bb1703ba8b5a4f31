"""From an event to somebody else's server: signed, repeated, given up, written down."""

import json
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks, Settings
from standardwebhooks import Webhook, WebhookVerificationError

from apps.core.clock import now
from apps.webhooks.claiming import LEASE, claim_due
from apps.webhooks.emitting import emit
from apps.webhooks.endpoints import create_endpoint, rotate_secret, send_test, update_endpoint
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from apps.webhooks.outcome import Outcome
from apps.webhooks.posting import _reason, _storable
from apps.webhooks.pruning import prune
from apps.webhooks.recording import record_outcome
from apps.webhooks.replaying import replay_delivery, replay_failed
from apps.webhooks.schedule import MAX_ATTEMPTS, PAUSES, pause_after
from apps.webhooks.sending import send_due
from tests.conftest import People
from tests.instance import wait_for
from tests.webhooks.receiver import Receiver, receiving

UPDATED = EventType.EPISODE_UPDATED


def tell(endpoint: WebhookEndpoint, **data: Any) -> WebhookDelivery:
    """Something happened that this endpoint wants to know."""
    event = emit(organization_id=endpoint.organization_id, event_type=UPDATED, data=data)
    assert event is not None
    return WebhookDelivery.objects.get(event=event, endpoint=endpoint)


def pass_time(clock: Any, pause: timedelta) -> None:
    clock.shift(pause * 1.1 + timedelta(seconds=1))


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


def test_redirects_are_not_followed(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": receiver.url}
    delivery = tell(endpoint)
    send_due()
    assert len(receiver.received) == 1
    attempt = delivery.attempts.get()
    assert attempt.status_code == 302
    assert "redirects" in attempt.error


def test_a_long_answer_is_cut(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    receiver.status, receiver.body = 200, b"x" * 5_000_000
    delivery = tell(endpoint)
    send_due()
    assert delivery.attempts.get().response_excerpt == "x" * 2000


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


@pytest.mark.parametrize("is_known", [True, False])
def test_a_private_address_is_refused_when_it_is_connected_to(
    is_known: bool, endpoint: WebhookEndpoint, receiver: Receiver, settings: Settings
) -> None:
    """Whatever the name stood for when the endpoint was made."""
    if not is_known:
        url = receiver.url.replace("127.0.0.1", "localhost")
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=url)
    settings.WEBHOOK_NETWORKS = []
    delivery = tell(endpoint)
    send_due()
    assert receiver.received == []
    attempt = delivery.attempts.get()
    assert attempt.status_code is None
    assert "is not an address on the public internet" in attempt.error


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\nbody",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nA\x00B: c\r\n\r\n",
    ],
)
def test_what_speaks_no_proper_http_fails(answer: bytes, endpoint: WebhookEndpoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(65536)
                line.sendall(answer)

        speaker = threading.Thread(target=speak)
        speaker.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=url)
        delivery = tell(endpoint)
        send_due()
        speaker.join(10)
    attempt = delivery.attempts.get()
    assert attempt.status_code is None
    assert attempt.error in {
        "The receiver’s answer is not proper HTTP.",
        "The receiver closed the connection without an answer.",
    }


def test_a_reason_that_quotes_the_network_can_be_stored() -> None:
    assert "\x00" not in _storable(_reason(OSError("bad \x00 name")))


def test_nobody_listening_is_said_in_words(endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url="http://127.0.0.1:1/")
    delivery = tell(endpoint)
    send_due()
    assert delivery.attempts.get().error.startswith("No connection: ")


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(
    endpoint: WebhookEndpoint, tmp_path: Path
) -> None:
    with receiving(self_signed_in=tmp_path) as pretender:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=pretender.url)
        delivery = tell(endpoint)
        send_due()
    assert pretender.received == []
    assert "certificate is not valid" in delivery.attempts.get().error


def test_silence_is_an_answer_after_a_while(
    endpoint: WebhookEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.webhooks.posting.TOTAL_SECONDS", 0.3)
    may_answer = threading.Event()
    receiver.before_answer = lambda: may_answer.wait(10)
    delivery = tell(endpoint)
    send_due()
    may_answer.set()
    attempt = delivery.attempts.get()
    assert (attempt.status_code, attempt.error) == (None, "No answer within 0 seconds.")


def test_one_that_takes_its_time_keeps_nobody_waiting(
    endpoint: WebhookEndpoint, receiver: Receiver, people: People
) -> None:
    with receiving() as quick:
        create_endpoint(
            organization=people.organization, created_by=None, url=quick.url, events=[UPDATED]
        )
        has_quick_one: list[bool] = []
        receiver.before_answer = lambda: has_quick_one.append(
            wait_for(lambda: len(quick.received) == 3, seconds=10)
        )
        for _ in range(3):
            tell(endpoint)
        send_due()
    assert has_quick_one == [True] * 3
    assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"succeeded"}


def test_names_that_hang_keep_no_receiver_waiting(
    people: People, endpoint: WebhookEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, has_arrived = socket.getaddrinfo, threading.Event()

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).endswith(".hangs.example"):
            has_arrived.wait(30)
            raise socket.gaierror("nobody answered")
        return real("127.0.0.1" if host == "receiver.example" else host, *args, **kwargs)

    monkeypatch.setattr("apps.webhooks.addresses._look_up", lambda *_: [])
    monkeypatch.setattr("apps.webhooks.endpoints.MAX_ENDPOINTS", 100)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    receiver.before_answer = has_arrived.set
    url = receiver.url.replace("127.0.0.1", "receiver.example")
    update_endpoint(endpoint=endpoint, url=url)
    for number in range(40):  # more than asyncio has threads, on any machine
        create_endpoint(
            organization=people.organization,
            created_by=None,
            url=f"http://{number}.hangs.example/",
            events=[UPDATED],
        )
    tell(endpoint)
    dead = WebhookDelivery.objects.exclude(endpoint=endpoint)
    dead.update(next_attempt_at=now() - timedelta(minutes=1))  # they come first
    send_due()
    assert len(receiver.messages()) == 1
    errors = WebhookAttempt.objects.filter(delivery__in=dead).values_list("error", flat=True)
    assert set(errors) == {"The name of the receiver could not be looked up."}


def test_a_receiver_without_tls_is_not_believed_to_have_it(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    url = receiver.url.replace("http:", "https:")
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=url)
    delivery = tell(endpoint)
    send_due()
    assert receiver.received == []
    assert delivery.attempts.get().error


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


# --- Replay -------------------------------------------------------------------------------------


def fail_for_good(endpoint: WebhookEndpoint, receiver: Receiver) -> WebhookDelivery:
    receiver.status = 500
    delivery = tell(endpoint)
    send_due()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        status="failed", next_attempt_at=None, finished_at=now()
    )
    delivery.refresh_from_db()
    return delivery


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


# --- Workers ------------------------------------------------------------------------------------


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
