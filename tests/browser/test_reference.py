"""The reference of the API in a browser: no barriers, no script needed, a filter that helps."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.instance import Instance

pytestmark = pytest.mark.browser
OVERVIEW = "/api/v1/docs/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_it_has_no_barriers_that_axe_finds(
    browser: Browser, instance: Instance, scheme: Literal["light", "dark"], width: int
) -> None:
    context = browser.new_context(
        base_url=instance.origin,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page = context.new_page()
    found = {}
    for address in (OVERVIEW, f"{OVERVIEW}episodes/", f"{OVERVIEW}webhooks/"):
        page.goto(address)
        page.evaluate("document.querySelectorAll('.fold').forEach((fold) => (fold.open = true))")
        violations = Axe().run(page).response["violations"]
        found[address] = [(one["id"], one["nodes"][0]["html"]) for one in violations]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    context.close()
    assert found == {address: [] for address in found}


def test_words_leave_only_the_operations_that_have_them(page: Page) -> None:
    page.goto(OVERVIEW)
    page.get_by_label("Show only what has these words").fill("post publish")
    expect(page.get_by_role("link", name="/publish/")).to_be_visible()
    expect(page.get_by_role("link", name="/vocabularies/")).to_be_hidden()
    expect(page.locator("#filter-count")).to_contain_text("operations")


def test_everything_is_there_without_scripts(browser: Browser, instance: Instance) -> None:
    context = browser.new_context(base_url=instance.origin, java_script_enabled=False)
    page = context.new_page()
    page.goto(OVERVIEW)
    expect(page.get_by_label("Show only what has these words")).to_be_hidden()
    page.get_by_role("navigation", name="Reference").get_by_role("link", name="Shows").click()
    section = page.locator("#update_show")
    header = section.locator(".fields__name", has_text="If-Match")
    expect(header).to_be_hidden()
    section.get_by_text("Headers").click()
    expect(header).to_be_visible()
    context.close()


def test_a_line_is_copied(browser: Browser, instance: Instance) -> None:
    context = browser.new_context(
        base_url=instance.origin, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.goto(f"{OVERVIEW}shows/#get_show")
    page.locator("#get_show").get_by_role("button", name="Copy").click()
    assert "/shows/$SHOW/" in page.evaluate("navigator.clipboard.readText()")
    context.close()
