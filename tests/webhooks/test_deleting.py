"""A webhook that is deleted while something is told or sent: neither side fails."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from apps.webhooks.claiming import _take
from apps.webhooks.emitting import deliver
from apps.webhooks.endpoints import delete_endpoint
from apps.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from tests.factories import WebhookDeliveryFactory, WebhookEndpointFactory, WebhookEventFactory
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.webhooks.emitting.send_soon", lambda: None)


def is_waiting() -> bool:
    """Whether some connection waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def beside(act: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """Do it in a connection of its own; what it raises is told."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, raised


def test_what_is_told_before_the_deletion_goes_with_it() -> None:
    endpoint: WebhookEndpoint = WebhookEndpointFactory()
    event: WebhookEvent = WebhookEventFactory(organization=endpoint.organization)
    with transaction.atomic():
        deliver(event, [endpoint.pk])
        thread, raised = beside(lambda: delete_endpoint(endpoint=endpoint))
        wait_until(is_waiting, 15)
    thread.join(20)
    assert raised == []
    assert not WebhookDelivery.objects.exists()


def test_what_is_told_during_the_deletion_is_not_sent_there() -> None:
    endpoint: WebhookEndpoint = WebhookEndpointFactory()
    event: WebhookEvent = WebhookEventFactory(organization=endpoint.organization)

    def tell() -> None:
        with transaction.atomic():
            assert deliver(event, [endpoint.pk]) == []

    with transaction.atomic():
        delete_endpoint(endpoint=endpoint)
        thread, raised = beside(tell)
        wait_until(is_waiting, 15)
    thread.join(20)
    assert raised == []


def test_an_attempt_that_begins_before_the_deletion_goes_with_it() -> None:
    delivery: WebhookDelivery = WebhookDeliveryFactory()
    endpoint = delivery.endpoint
    with transaction.atomic():
        assert len(_take(endpoint, 1)) == 1
        thread, raised = beside(lambda: delete_endpoint(endpoint=endpoint))
        wait_until(is_waiting, 15)
    thread.join(20)
    assert raised == []
    assert not WebhookAttempt.objects.exists()
