"""A person makes an API token with the keyboard, tries the line that is shown, and revokes it."""

import shlex

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_pages import sign_in
from tests.instance import Instance

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
