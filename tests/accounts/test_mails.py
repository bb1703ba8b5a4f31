"""Mails about accounts: their links lead to the configured origin, whatever the request said."""

import re
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_valkey")]

ORIGIN = "https://podcasts.example.org"
SIGN_UP = {
    "name": "Ada",
    "email": "new@example.com",
    "password1": "correct horse battery",
    "organization_name": "",
}


@pytest.fixture(autouse=True)
def _origin(settings: Settings) -> None:
    settings.BASE_URL = ORIGIN
    settings.ALLOWED_HOSTS = ["*"]  # a proxy that passes every Host on must not be dangerous


@pytest.mark.parametrize(
    ("path", "data", "leads_to"),
    [
        ("/accounts/signup/", SIGN_UP, "/accounts/confirm-email/"),
        (
            "/accounts/password/reset/",
            {"email": "ada@example.com"},
            "/accounts/password/reset/key/",
        ),
        ("/accounts/password/reset/", {"email": "nobody@example.com"}, "/accounts/signup/"),
    ],
)
def test_links_in_mails_never_come_from_the_host_header(
    path: str, data: dict[str, Any], leads_to: str, mailoutbox: list[EmailMessage]
) -> None:
    UserFactory(email="ada@example.com")
    client = Client(headers={"host": "attacker.example"})
    assert client.post(path, data).status_code == 302
    (mail,) = mailoutbox
    text = f"{mail.subject}\n{mail.body}"
    assert "attacker.example" not in text
    links = re.findall(r"https?://\S+", text)
    assert any(link.startswith(f"{ORIGIN}{leads_to}") for link in links)
    assert all(link.startswith(ORIGIN) for link in links)


@pytest.mark.parametrize(
    ("target", "is_followed"),
    [
        ("/studio/trash/", True),
        (f"{ORIGIN}/studio/trash/", True),
        ("https://attacker.example/", False),
        ("//attacker.example/", False),
        ("/\\attacker.example/", False),
        ("http://localhost/studio/", False),
        ("javascript:alert(1)", False),
    ],
)
def test_sign_in_leads_nowhere_else(target: str, is_followed: bool) -> None:
    UserFactory(email="ada@example.com")
    answer = Client(headers={"host": "attacker.example"}).post(
        "/accounts/login/",
        {"login": "ada@example.com", "password": "correct horse", "next": target},
    )
    assert answer.status_code == 302
    assert (answer.headers["Location"] == target) is is_followed
