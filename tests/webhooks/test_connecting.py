"""Servers that are somewhere else, slow, silent or odd."""

import socket
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps.core.clock import now
from apps.webhooks.endpoints import create_endpoint, update_endpoint
from apps.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from apps.webhooks.posting import _reason, _storable
from apps.webhooks.sending import send_due
from tests.conftest import People
from tests.instance import wait_for
from tests.webhooks.receiver import Receiver, receiving
from tests.webhooks.telling import UPDATED, tell


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
