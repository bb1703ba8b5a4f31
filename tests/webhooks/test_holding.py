"""What an endpoint's change holds: nothing while a name is looked up, and only what is there."""

from collections.abc import Callable
from typing import Any

import pytest

from api.webhooks import views
from apps.accounts.models import Organization
from apps.webhooks import endpoints
from apps.webhooks.access import get_endpoint
from apps.webhooks.endpoints import create_endpoint, delete_endpoint, update_endpoint
from apps.webhooks.models import WebhookEndpoint
from tests.conftest import People
from tests.factories import WebhookEndpointFactory
from tests.holding import is_free

URL = "https://93.184.216.34/hooks"


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_name_that_is_looked_up(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint: WebhookEndpoint = WebhookEndpointFactory(organization=people.organization)
    seen: list[bool] = []

    def slow(url: str) -> str:
        seen.append(is_free(Organization, people.organization.pk))
        seen.append(is_free(WebhookEndpoint, endpoint.pk))
        return url

    monkeypatch.setattr(endpoints, "check_url", slow)
    create_endpoint(
        organization=people.organization, created_by=None, url=URL, events=["episode.updated"]
    )
    update_endpoint(endpoint=endpoint, url=URL)
    assert seen == [True] * 4


@pytest.mark.parametrize(
    "ask",
    [
        lambda client, path: client.patch(path, {"url": URL}, content_type="application/json"),
        lambda client, path: client.post(f"{path}secret/"),
    ],
    ids=["changed", "new secret"],
)
def test_one_that_is_deleted_at_the_same_time_is_not_there(
    ask: Callable[..., Any], people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint: WebhookEndpoint = WebhookEndpointFactory(organization=people.organization)

    def overtaken(*args: Any) -> WebhookEndpoint:
        found = get_endpoint(*args)
        delete_endpoint(endpoint=found)
        return found

    monkeypatch.setattr(views, "get_endpoint", overtaken)
    response = ask(people.client("admin"), f"/api/v1/webhooks/{endpoint.pk}/")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
