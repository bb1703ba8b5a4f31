"""A person makes an API token with the keyboard, tries and revokes it, and lets an app in."""

import os
import shlex
import subprocess
import sys
from urllib.parse import urlencode

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_pages import problems, sign_in
from tests.instance import PROJECT, Instance

pytestmark = pytest.mark.browser


def fill_in(page: Page, name: str) -> None:
    """With nothing but keys, from the name's field on."""
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type(name)
    for _ in range(2):  # Read and Write stand first
        page.keyboard.press("Tab")
        page.keyboard.press("Space")


def asked(line: str) -> httpx2.Response:
    """What the shown command would send."""
    command, option, header, url = shlex.split(line)
    assert (command, option) == ("curl", "-H")
    name, _, value = header.partition(": ")
    return httpx2.get(url, headers={name: value})


def test_a_token_is_made_tried_and_revoked(
    page: Page, context: BrowserContext, instance: Instance
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, instance, "demo@example.com")
    page.goto("/studio/tokens/")
    fill_in(page, "Script of the browser test")
    page.keyboard.press("Enter")

    secret = page.get_by_label("The new token")
    expect(secret).to_be_focused()
    value = secret.input_value()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == value
    line = page.get_by_label("A command that uses the token").input_value()
    assert asked(line).status_code == 200

    page.goto("/studio/tokens/")
    expect(page.get_by_text("Script of the browser test").first).to_be_visible()
    assert value not in page.content()
    revoke = page.get_by_role("button", name="Revoke Script of the browser test")
    revoke.click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    assert asked(line).status_code == 200
    revoke.click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("works no more").first).to_be_visible()
    assert asked(line).json()["code"] == "token_revoked"


def test_an_app_is_let_in_and_led_back_to(
    page: Page, context: BrowserContext, instance: Instance
) -> None:
    """A browser applies the page's form-action to where the answer leads as well."""
    back = "https://app.example/callback"
    context.route("https://app.example/**", lambda route: route.fulfill(body="Back at the app"))
    said = subprocess.run(
        [sys.executable, "manage.py", "oauth_app", "Podgraph", f"--redirect-uri={back}"],
        cwd=PROJECT,
        env=os.environ | {"LONGWAVE_DATA": str(instance.data), "DATABASE_URL": "", "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    asked = {
        "client_id": said.split()[-1].rstrip("."),
        "response_type": "code",
        "redirect_uri": back,
        "scope": "read",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636, B
        "code_challenge_method": "S256",
    }
    sign_in(page, instance, "demo@example.com")
    page.goto(f"/oauth/authorize?{urlencode(asked)}")
    expect(page.get_by_role("heading", name="Let Podgraph work for you?")).to_be_visible()
    assert problems(page) == []
    page.get_by_role("button", name="Let it in").press("Enter")
    page.wait_for_url(f"{back}?code=*")
