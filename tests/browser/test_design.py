"""The look, as a browser sees it: readable in both colours, on a phone, without a mouse."""

import time
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.instance import Instance

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/how-we-count/",
    "/privacy/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/no/such/page/",
]


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_barriers_that_axe_finds(
    browser: Browser, instance: Instance, address: str, scheme: Literal["light", "dark"]
) -> None:
    for width in (1280, 390):
        context = browser.new_context(
            base_url=instance.origin,
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(address)
        violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
        context.close()
        assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == []


@pytest.mark.parametrize("address", PAGES)
def test_nothing_is_wider_than_the_smallest_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(address)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


def test_the_first_tab_skips_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_chosen_colours_stay_and_are_there_before_the_first_paint(page: Page) -> None:
    page.goto("/")
    switch = page.locator("header [data-theme-switch]")
    root = page.locator("html")
    expect(root).not_to_have_attribute("data-theme", "light")
    switch.click()
    expect(root).to_have_attribute("data-theme", "light")
    switch.click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.goto("/privacy/")
    expect(root).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    # The script that sets it must not wait for the page: a flash of light hurts in the dark.
    script = page.locator("script[src*='theme-now']")
    assert script.get_attribute("defer") is None
    assert script.get_attribute("type") is None


def test_pages_change_into_one_another_though_a_style_sheet_is_late(page: Page) -> None:
    """Chromium gives the transition up then, and reports an error: see theme-now.js."""
    page.goto("/")
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})

    def late(route: Route) -> None:
        time.sleep(0.4)
        route.continue_()

    page.route("**/css/base.*.css", late)
    # What asks for a style has Chromium apply the sheets that are there already.
    page.add_init_script("setInterval(() => getComputedStyle(document.documentElement).color, 5)")
    page.add_init_script("addEventListener('pagereveal', e => { has = !!e.viewTransition })")
    page.get_by_role("contentinfo").get_by_role("link", name="Privacy").click()
    page.wait_for_url("/privacy/")
    assert page.evaluate("has")


def test_pages_use_nothing_from_elsewhere(page: Page, instance: Instance) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    page.wait_for_load_state("networkidle")
    assert asked
    assert [url for url in asked if not url.startswith((instance.origin, "blob:"))] == []


def test_modules_are_served_under_names_that_change_with_them(page: Page) -> None:
    """Cached for ever, so an import that kept its plain name would pin old code."""
    scripts: list[str] = []
    page.on("request", lambda r: scripts.append(r.url) if r.url.endswith(".js") else None)
    page.goto("/")
    page.wait_for_load_state("networkidle")
    plain = [url for url in scripts if len(url.rsplit("/", 1)[-1].split(".")) != 3]
    assert len(scripts) > 5
    assert plain == []
