"""``If-Match`` on everything that changes something: looked at, or refused."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import transaction
from django.test import Client

from apps.core import openapi
from tests.api.document.recording import operations, send
from tests.api.document.scene import MOMENT, Scene, make_scene

type Schema = dict[str, Any]
STALE = '"what-was-there-before"'


@pytest.fixture
def scene(db: None, clean_valkey: None) -> Iterator[Scene]:
    with time_machine.travel(MOMENT, tick=False):
        yield make_scene()


def changes() -> Iterator[tuple[str, str, Schema]]:
    """Address, method and operation of all that changes something."""
    for path, method, operation in operations(openapi.document()):
        if method != "get":
            yield path, method, operation


def everything() -> dict[str, Any]:
    """All rows there are."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values())
        for model in apps.get_models()
    }


def test_a_stale_tag_stops_every_change(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.owner)
    before, wrong = everything(), {}
    for path, method, operation in changes():
        name = operation["operationId"]
        takes_tag = "If-Match" in [one["name"] for one in operation["parameters"]]
        with transaction.atomic():
            answer = send(client, scene, path, method, name, **{"If-Match": STALE})
        expected = (412, "changed_meanwhile") if takes_tag else (400, "if_match_not_supported")
        if (answer.status_code, answer.json()["code"]) != expected:
            wrong[name] = answer.status_code
        assert takes_tag is ("412" in operation["responses"]), name
    assert wrong == {}
    assert everything() == before


def test_what_looks_at_no_tag_says_so_only_when_one_is_sent(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.owner)
    address = f"/api/v1/organizations/{scene.organization.pk}/shows/"
    assert client.get(address, headers={"If-Match": STALE}).status_code == 200
    assert client.put(address, headers={"If-Match": STALE}).status_code == 405
    assert client.post(address, headers={"If-Match": "*"}).json()["code"] == (
        "if_match_not_supported"
    )
