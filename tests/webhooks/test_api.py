"""Webhooks over HTTP: who may set them up, what is refused, the log and its replay."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.accounts.roles import Role
from apps.accounts.scopes import Scope
from apps.webhooks.emitting import emit
from apps.webhooks.endpoints import create_endpoint
from apps.webhooks.event_types import EventType
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.sending import send_due
from tests.conftest import People
from tests.factories import MembershipFactory, ShowFactory
from tests.programs import ask, program, token_of_organization
from tests.webhooks.receiver import Receiver

URL = "https://93.184.216.34/hooks"
WISH = {"url": URL, "events": ["episode.published"]}


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def patch(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.patch(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def create(people: People, name: str = "admin", **fields: Any) -> Any:
    path = f"organizations/{people.organization.pk}/webhooks/"
    return post(people.client(name), path, WISH | fields)


def tell(endpoint: WebhookEndpoint) -> WebhookDelivery:
    emit(organization_id=endpoint.organization_id, event_type=EventType.EPISODE_UPDATED, data={})
    return WebhookDelivery.objects.latest("created_at")


def test_the_secret_is_shown_once(people: People) -> None:
    made = create(people, description="Our archive")
    assert made.status_code == 201
    body = made.json()
    assert body["secret"].startswith("whsec_")
    assert body["description"] == "Our archive"
    client = people.client("owner")
    again = client.get(f"/api/v1/webhooks/{body['id']}/")
    assert again.json() == {name: value for name, value in body.items() if name != "secret"}
    listed = client.get(f"/api/v1/organizations/{people.organization.pk}/webhooks/").json()
    assert listed["results"] == [again.json()]
    assert made.headers["Location"] == f"/api/v1/webhooks/{body['id']}/"
    assert made.headers["ETag"] == again.headers["ETag"]
    renewed = post(client, f"webhooks/{body['id']}/secret/")
    assert made.headers["Cache-Control"] == renewed.headers["Cache-Control"] == "no-store"
    rotated = renewed.json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != body["secret"]
    assert rotated["previous_secret_until"]


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"url": "http://93.184.216.34/"}, "#/url", "https_required"),
        ({"url": "https://10.0.0.1/"}, "#/url", "private_address"),
        ({"url": ""}, "#/url", "blank"),
        ({"events": []}, "#/events", "empty"),
        ({"events": ["episode.exploded"]}, "#/events/0/0", "invalid_choice"),
        ({"events": ["ping"]}, "#/events/0/0", "invalid_choice"),
        ({"show": "0189c5e0-0000-7000-8000-000000000000"}, "#/show", "no_such_show"),
        ({"description": "a" * 201}, "#/description", "max_length"),
    ],
)
def test_what_cant_be_is_refused_with_a_code(
    people: People, fields: dict[str, Any], pointer: str, code: str
) -> None:
    response = create(people, **fields)
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert (error["code"], error["pointer"].partition("/0")[0]) == (
        code,
        pointer.partition("/0")[0],
    )
    assert not WebhookEndpoint.objects.exists()


def test_a_show_of_another_tenant_is_no_show(people: People) -> None:
    assert create(people, show=str(ShowFactory().pk)).status_code == 400
    ours = ShowFactory(organization=people.organization)
    assert create(people, show=str(ours.pk)).json()["show"] == str(ours.pk)


def test_twenty_are_enough(people: People) -> None:
    answers = [create(people) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [409]
    assert answers[-1].json()["code"] == "limit_reached"


def test_a_change_is_of_what_is_named_and_not_of_what_somebody_else_changed(
    people: People,
) -> None:
    made = create(people)
    path = f"webhooks/{made.json()['id']}/"
    client = people.client("admin")
    tag = client.get(f"/api/v1/{path}").headers["ETag"]
    changed = patch(client, path, {"is_enabled": False}, **{"If-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["disabled_reason"] == "by_hand"
    assert changed.json()["url"] == URL
    late = patch(client, path, {"description": "Mine"}, **{"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    on = patch(client, path, {"is_enabled": True}).json()
    assert (on["is_enabled"], on["disabled_at"], on["disabled_reason"]) == (True, None, "")
    assert client.delete(f"/api/v1/{path}").status_code == 204
    assert client.get(f"/api/v1/{path}").status_code == 404


def test_a_repeated_post_makes_one_webhook_and_tells_its_secret_once(
    people: People,
) -> None:
    path = f"organizations/{people.organization.pk}/webhooks/"
    client = people.client("admin")
    answers = [post(client, path, WISH, **{"Idempotency-Key": "k"}).json() for _ in range(2)]
    assert answers[0]["secret"].startswith("whsec_")
    assert answers[1] == answers[0] | {"secret": None}
    assert WebhookEndpoint.objects.count() == 1


def test_a_test_tells_how_it_went(
    people: People,
    endpoint: WebhookEndpoint,
    receiver: Receiver,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client = people.client("admin")
    with django_capture_on_commit_callbacks(execute=True):
        begun = post(client, f"webhooks/{endpoint.pk}/test/")
    assert (begun.status_code, begun.json()["status"]) == (202, "pending")
    ended = client.get(f"/api/v1/webhook-deliveries/{begun.json()['id']}/").json()
    assert ended["status"] == "succeeded"
    assert ended["event"]["payload"] == receiver.messages()[0]
    (attempt,) = ended["attempts"]
    assert (attempt["number"], attempt["status_code"], attempt["error"]) == (1, 204, "")


def test_tests_and_replays_of_a_webhook_share_a_limit(
    people: People, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.webhooks.endpoints.BY_HAND_A_MINUTE", 2)
    client, address = people.client("admin"), f"webhooks/{endpoint.pk}"
    begun = post(client, f"{address}/test/")
    since = {"since": "2026-01-01T00:00:00Z"}
    assert [begun.status_code, post(client, f"{address}/replay/", since).status_code] == [202, 202]
    for path, body in [
        (f"{address}/test/", None),
        (f"{address}/replay/", since),
        (f"webhook-deliveries/{begun.json()['id']}/replay/", None),
    ]:
        refused = post(client, path, body)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_often")
    other, _ = create_endpoint(
        organization=people.organization,
        created_by=None,
        url=endpoint.url,
        events=list(EventType.values),
    )
    assert post(client, f"webhooks/{other.pk}/test/").status_code == 202


def test_figures_are_sent_where_somebody_says_who_may_see_them(
    people: People, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    def asking(*scopes: Scope) -> Client:
        return program(token_of_organization(people.organization, Role.ADMIN, scopes)[1])

    blind, seeing = asking(Scope.WRITE, Scope.READ), asking(Scope.WRITE, Scope.READ, Scope.STATS)
    path = f"organizations/{people.organization.pk}/webhooks/"
    wish, refused = WISH | {"events": ["downloads.milestone"]}, (403, "insufficient_scope")
    assert ask(blind, f"/api/v1/{path}", "post", wish) == refused
    assert post(blind, path, WISH).status_code == 201
    made = post(seeing, path, wish).json()
    address = f"/api/v1/webhooks/{made['id']}/"
    assert ask(blind, address, "patch", {"url": f"{URL}/mine"}) == refused
    assert ask(blind, address, "patch", {"is_enabled": False}) == (200, "")
    assert ask(blind, address, "patch", {"events": ["episode.updated"]}) == (200, "")
    assert ask(blind, address, "patch", {"events": wish["events"]}) == refused
    assert ask(seeing, address, "patch", {"events": wish["events"]}) == (200, "")


def test_the_log_shows_figures_to_whoever_may_see_them(
    people: People, endpoint: WebhookEndpoint
) -> None:
    data = {"downloads": 1000}
    for event_type in (EventType.DOWNLOADS_MILESTONE, EventType.EPISODE_UPDATED):
        emit(organization_id=people.organization.pk, event_type=event_type, data=data)
    for scopes, figures in [((Scope.READ,), {}), ((Scope.READ, Scope.STATS), data)]:
        client = program(token_of_organization(people.organization, Role.ADMIN, scopes)[1])
        log = client.get(f"/api/v1/webhooks/{endpoint.pk}/deliveries/").json()["results"]
        for row in log:
            one = f"/api/v1/webhook-deliveries/{row['id']}/"
            for address in (one, f"{one}?fields=event.payload"):
                shown = client.get(address).json()["event"]["payload"]["data"]
                assert shown == (figures if "downloads" in row["event"]["type"] else data)
            assert client.get(f"{one}?fields=id,event.type").status_code == 200


def test_the_log_is_filtered_and_paged(
    people: People, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    good = tell(endpoint)
    send_due()
    receiver.status = 500
    bad = [tell(endpoint) for _ in range(3)]
    send_due()
    client = people.client("admin")
    address = f"/api/v1/webhooks/{endpoint.pk}/deliveries/?page_size=2"
    seen = []
    while address:
        page = client.get(address).json()
        seen += [delivery["id"] for delivery in page["results"]]
        address = page["next"]
    assert seen == [str(one.pk) for one in reversed([good, *bad])]
    for status, expected in [("succeeded", [good]), ("pending", bad), ("failed", [])]:
        found = client.get(f"/api/v1/webhooks/{endpoint.pk}/deliveries/?status={status}").json()
        assert {one["id"] for one in found["results"]} == {str(one.pk) for one in expected}
    refused = client.get(f"/api/v1/webhooks/{endpoint.pk}/deliveries/?status=lost")
    assert refused.status_code == 400


def test_deliveries_are_replayed(
    people: People, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    delivery = tell(endpoint)
    client = people.client("admin")
    path = f"webhook-deliveries/{delivery.pk}/replay/"
    early = post(client, path)
    assert (early.status_code, early.json()["code"]) == (409, "delivery_pending")
    send_due()
    again = post(client, path)
    assert (again.status_code, again.json()["status"]) == (202, "pending")
    send_due()
    assert len(receiver.messages()) == 2
    some = post(client, f"webhooks/{endpoint.pk}/replay/", {"since": "2026-01-01T00:00:00Z"})
    assert (some.status_code, some.json()) == (202, {"count": 0})
    patch(client, f"webhooks/{endpoint.pk}/", {"is_enabled": False})
    for refused in (path, f"webhooks/{endpoint.pk}/test/"):
        response = post(client, refused)
        assert (response.status_code, response.json()["code"]) == (409, "webhook_disabled")


def test_strangers_find_nothing_and_weak_roles_are_told_so(
    people: People, endpoint: WebhookEndpoint
) -> None:
    delivery = tell(endpoint)
    paths = [
        f"organizations/{people.organization.pk}/webhooks/",
        f"webhooks/{endpoint.pk}/",
        f"webhooks/{endpoint.pk}/deliveries/",
        f"webhook-deliveries/{delivery.pk}/",
    ]
    posts = [
        f"organizations/{people.organization.pk}/webhooks/",
        f"webhooks/{endpoint.pk}/secret/",
        f"webhooks/{endpoint.pk}/test/",
        f"webhooks/{endpoint.pk}/replay/",
        f"webhook-deliveries/{delivery.pk}/replay/",
    ]
    expected = {"stranger": 404, "staff": 404, "analyst": 403, "editor": 403, "anonymous": 401}
    for name, status in expected.items():
        client = people.client(name)
        for path in paths:
            assert client.get(f"/api/v1/{path}").status_code == status, (name, path)
        for path in posts:
            assert post(client, path, WISH).status_code == status, (name, path)
        assert patch(client, f"webhooks/{endpoint.pk}/", {"url": URL}).status_code == status
        assert client.delete(f"/api/v1/webhooks/{endpoint.pk}/").status_code == status
    endpoint.refresh_from_db()
    assert endpoint.is_enabled
    assert WebhookDelivery.objects.count() == 1


def test_a_token_of_an_admin_sets_webhooks_up_and_one_for_a_show_sees_none(
    people: People, endpoint: WebhookEndpoint
) -> None:
    show = ShowFactory(organization=people.organization)
    other = MembershipFactory().organization
    tokens = {
        "admin": token_of_organization(people.organization, Role.ADMIN),
        "editor": token_of_organization(people.organization, Role.EDITOR),
        "of a show": token_of_organization(people.organization, Role.ADMIN, show_id=show.pk),
        "of others": token_of_organization(other, Role.ADMIN),
    }
    statuses = {
        name: program(secret).get(f"/api/v1/webhooks/{endpoint.pk}/").status_code
        for name, (_, secret) in tokens.items()
    }
    assert statuses == {"admin": 200, "editor": 403, "of a show": 404, "of others": 404}
    made = post(
        program(tokens["admin"][1]), f"organizations/{people.organization.pk}/webhooks/", WISH
    )
    assert made.status_code == 201
    assert WebhookEndpoint.objects.get(pk=made.json()["id"]).created_by is None
