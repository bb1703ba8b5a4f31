"""Signing in: rate limits, and whose they are."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]


def try_to_sign_in(address: str, password: str = "wrong") -> int:
    """How a sign-in behind the proxy fares."""
    client = Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": address})
    response = client.post("/accounts/login/", {"login": "ada@example.com", "password": password})
    return response.status_code


def exhaust(address: str) -> int:
    """How many failures one address may have before it is refused."""
    for attempt in range(40):
        page = Client(REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": address}).post(
            "/accounts/login/", {"login": f"nobody{attempt}@example.com", "password": "x"}
        )
        if page.status_code == 429 or "Too many" in page.content.decode():
            return attempt
    raise AssertionError("there is no limit")


def test_failures_of_one_address_do_not_lock_out_another(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    UserFactory(email="ada@example.com")
    assert exhaust("203.0.113.5") > 3
    assert try_to_sign_in("203.0.113.6", "correct horse") == 302


def test_without_a_trusted_proxy_the_header_is_not_believed() -> None:
    """Else anybody could make up addresses and try passwords for ever."""
    for attempt in range(40):
        client = Client(
            REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-For": f"198.51.100.{attempt}"}
        )
        page = client.post(
            "/accounts/login/", {"login": f"nobody{attempt}@example.com", "password": "x"}
        )
        if page.status_code == 429 or "Too many" in page.content.decode():
            return
    raise AssertionError("the limit was evaded")
