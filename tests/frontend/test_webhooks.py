"""Pages of webhooks: set up, tested, looked after, by admins and owners."""

from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from apps.core.clock import now
from apps.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from apps.webhooks.sending import send_due
from tests.conftest import People
from tests.factories import ShowFactory, WebhookDeliveryFactory, WebhookEndpointFactory
from tests.webhooks.receiver import Receiver, receiving

ROOT = "/studio/organization/webhooks/"


@pytest.fixture
def client(people: People) -> Client:
    return people.client("admin")


@pytest.fixture
def webhook(people: People) -> WebhookEndpoint:
    made: WebhookEndpoint = WebhookEndpointFactory(organization=people.organization)
    return made


def ended(webhook: WebhookEndpoint, status: str) -> WebhookDelivery:
    made: WebhookDelivery = WebhookDeliveryFactory(
        endpoint=webhook, status=status, next_attempt_at=None, finished_at=now(), attempt_count=1
    )
    WebhookAttempt.objects.create(
        delivery=made,
        number=1,
        status_code=500,
        duration_ms=12,
        error="It broke.",
        response_excerpt="<script>alert(1)</script>",
    )
    return made


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return unescape(response.content.decode())


def test_without_webhooks_the_page_explains_what_they_are(client: Client) -> None:
    page = text(client, ROOT)
    assert "No webhooks yet" in page
    assert f"{ROOT}new/" in page


def test_the_secret_of_a_new_one_is_shown_once_and_cached_nowhere(
    people: People, client: Client
) -> None:
    show = ShowFactory(organization=people.organization)
    form = {
        "url": "https://93.184.216.34/hooks",
        "description": "Tells our chat",
        "events": ["episode.published"],
        "show": str(show.pk),
    }
    response = client.post(f"{ROOT}new/", form)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert "whsec_" in response.content.decode()
    made = WebhookEndpoint.objects.get()
    assert (made.show_id, made.created_by) == (show.pk, people.admin)
    for path in (ROOT, f"{ROOT}{made.pk}/", f"{ROOT}{made.pk}/edit/"):
        page = text(client, path)
        assert "Tells our chat" in page
        assert "whsec_" not in page


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"url": "http://93.184.216.34/"}, "must begin with https://"),
        ({"url": "https://10.1.2.3/"}, "not on the public internet"),
        ({"url": ""}, "This field is required"),
        ({"events": []}, "Choose at least one"),
        ({"show": "0189c5e0-0000-7000-8000-000000000000"}, "Select a valid choice"),
    ],
)
def test_what_cant_be_is_said_beside_the_field(
    client: Client, webhook: WebhookEndpoint, wrong: dict[str, str], message: str
) -> None:
    form = {"url": "https://93.184.216.34/", "events": ["episode.updated"], "show": ""} | wrong
    for path in (f"{ROOT}new/", f"{ROOT}{webhook.pk}/edit/"):
        response = client.post(path, form)
        assert response.status_code == 422
        assert message in response.content.decode()
    assert WebhookEndpoint.objects.count() == 1


def test_shows_of_others_are_not_offered(people: People, client: Client) -> None:
    ShowFactory(title="Somebody else’s")
    ShowFactory(title="Our own", organization=people.organization)
    page = text(client, f"{ROOT}new/")
    assert "Our own" in page
    assert "Somebody else’s" not in page


def test_a_change_keeps_what_was_sent(client: Client, webhook: WebhookEndpoint) -> None:
    ended(webhook, "failed")
    form = {"url": "https://93.184.216.35/", "events": ["upload.processed"], "description": "New"}
    assert client.post(f"{ROOT}{webhook.pk}/edit/", form).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events) == ("https://93.184.216.35/", ["upload.processed"])
    assert webhook.deliveries.count() == 1


def test_a_new_secret_is_shown_with_the_time_to_change_over(
    client: Client, webhook: WebhookEndpoint
) -> None:
    before = bytes(webhook.secret_sealed)
    response = client.post(f"{ROOT}{webhook.pk}/secret/")
    assert "whsec_" in response.content.decode()
    assert "Change over until then" in response.content.decode()
    webhook.refresh_from_db()
    assert bytes(webhook.secret_sealed) != before
    assert client.get(f"{ROOT}{webhook.pk}/secret/").status_code == 302


def test_a_test_leads_to_the_page_that_shows_how_it_went(
    client: Client,
    webhook: WebhookEndpoint,
    settings: Settings,
) -> None:
    with receiving() as receiver:
        _stand_behind(webhook, receiver, settings)
        response = client.post(f"{ROOT}{webhook.pk}/test/")
        path = response.headers["Location"]
        assert "hx-get" in text(client, path), "on its way: the page asks again"
        send_due()
        page = text(client, path)
    assert "Arrived" in page
    assert "Status 204" in page
    assert '"type": "ping"' in page
    assert "hx-get" not in page
    fragment = client.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "Arrived" in fragment
    assert "<html" not in fragment


def _stand_behind(webhook: WebhookEndpoint, receiver: Receiver, settings: Settings) -> None:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    WebhookEndpoint.objects.filter(pk=webhook.pk).update(url=receiver.url)


def test_the_log_shows_each_status_and_what_was_answered(
    client: Client, webhook: WebhookEndpoint
) -> None:
    failed = ended(webhook, "failed")
    arrived = ended(webhook, "succeeded")
    page = text(client, f"{ROOT}{webhook.pk}/")
    assert str(failed.pk) in page
    assert str(arrived.pk) in page
    page = text(client, f"{ROOT}{webhook.pk}/?status=failed")
    assert str(failed.pk) in page
    assert str(arrived.pk) not in page
    assert "No message has this status" in text(client, f"{ROOT}{webhook.pk}/?status=pending")
    assert str(arrived.pk) in text(client, f"{ROOT}{webhook.pk}/?status=nonsense&page=x")
    response = client.get(f"{ROOT}deliveries/{failed.pk}/")
    assert b"<script>alert(1)" not in response.content
    assert b"&lt;script&gt;alert(1)" in response.content
    assert "It broke." in response.content.decode()


def test_failed_messages_are_sent_again(client: Client, webhook: WebhookEndpoint) -> None:
    one, other = ended(webhook, "failed"), ended(webhook, "failed")
    path = f"{ROOT}deliveries/{one.pk}/"
    assert "Send it again" in text(client, path)
    assert client.post(f"{path}replay/").headers["Location"] == path
    assert "Send it again" not in text(client, path)
    response = client.post(f"{ROOT}{webhook.pk}/replay/", {"since": "86400"}, follow=True)
    assert "1 message is sent again" in response.content.decode()
    other.refresh_from_db()
    assert other.status == "pending"
    response = client.post(f"{ROOT}{webhook.pk}/replay/", {"since": "999"}, follow=True)
    assert "Choose how far to go back" in response.content.decode()


def test_it_is_switched_off_and_on_and_says_so(client: Client, webhook: WebhookEndpoint) -> None:
    client.post(f"{ROOT}{webhook.pk}/switch/", {"on": "0"})
    page = text(client, f"{ROOT}{webhook.pk}/")
    assert "Somebody switched it off" in page
    assert f"{ROOT}{webhook.pk}/test/" not in page
    response = client.post(f"{ROOT}{webhook.pk}/test/", follow=True)
    assert "Switch it on first" in response.content.decode()
    client.post(f"{ROOT}{webhook.pk}/switch/", {"on": "1"})
    assert f"{ROOT}{webhook.pk}/test/" in text(client, f"{ROOT}{webhook.pk}/")


def test_it_is_deleted(client: Client, webhook: WebhookEndpoint) -> None:
    response = client.post(f"{ROOT}{webhook.pk}/delete/", follow=True)
    assert "was deleted" in unescape(response.content.decode())
    assert not WebhookEndpoint.objects.exists()


def test_an_admin_of_two_organisations_sees_those_of_the_current_one(
    people: People, client: Client, webhook: WebhookEndpoint
) -> None:
    theirs = WebhookEndpointFactory(url="https://93.184.216.99/")
    assert theirs.url not in text(client, ROOT)
    assert client.get(f"{ROOT}{theirs.pk}/").status_code == 404
    assert webhook.url in text(client, ROOT)


@pytest.mark.parametrize("count", [1, 20])
def test_lists_cost_the_same_queries_however_long(
    count: int,
    people: People,
    client: Client,
    webhook: WebhookEndpoint,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(count):
        ended(webhook, "failed")
        if number:
            show = ShowFactory(organization=people.organization)
            WebhookEndpointFactory(organization=people.organization, show_id=show.pk)
    with django_assert_max_num_queries(9):
        assert text(client, ROOT).count("All shows") == 1
    with django_assert_max_num_queries(10):
        assert text(client, f"{ROOT}{webhook.pk}/").count("/deliveries/") == count
