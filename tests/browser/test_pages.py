"""Every kind of page: no serious accessibility problem, light and dark, phone and desktop."""

import json
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.instance import Instance

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sign_in(page: Page, instance: Instance, email: str) -> None:
    page.goto("/accounts/login/")
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(instance.password_of(email))
    page.keyboard.press("Enter")
    page.wait_for_url("**/studio/**")


@pytest.fixture(scope="module")
def visitor(browser: Browser, instance: Instance, scheme: str) -> Iterator[BrowserContext]:
    yield from context_of(browser, instance, scheme)


@pytest.fixture(scope="module")
def podcaster(browser: Browser, instance: Instance, scheme: str) -> Iterator[BrowserContext]:
    yield from context_of(browser, instance, scheme, "demo@example.com")


@pytest.fixture(scope="module")
def admin(browser: Browser, instance: Instance, scheme: str) -> Iterator[BrowserContext]:
    yield from context_of(browser, instance, scheme, "admin@example.com")


def context_of(
    browser: Browser, instance: Instance, scheme: str, email: str = ""
) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=instance.origin,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    if email:
        sign_in(context.new_page(), instance, email)
    yield context
    context.close()


def dashboard_path(instance: Instance) -> str:
    pages = json.loads((instance.data / "demo.json").read_text())["pages"]
    return next(str(p["path"]) for p in pages if "/studio/shows/" in p["path"])


def problems(page: Page) -> list[str]:
    """What axe calls serious or critical, and whether the page is wider than the screen."""
    result = Axe().run(page, options={"resultTypes": ["violations"]})
    found = [
        f"{violation['id']}: {node['target']} {node['failureSummary'][:300]}"
        for violation in result.response["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return [*found, *([f"{wide} px wider than the screen"] if wide > 0 else [])]


def look(context: BrowserContext, paths: list[str]) -> dict[str, list[str]]:
    """The problems of each page, by page and width."""
    page = context.new_page()
    found = {}
    for path in paths:
        for width in (PHONE, DESKTOP):
            page.set_viewport_size({"width": width["width"], "height": width["height"]})
            response = page.goto(path)
            assert response is not None
            assert response.status < 500
            if here := problems(page):
                found[f"{path} {width['width']}"] = here
    page.close()
    return found


def test_public_pages_have_no_serious_problem(visitor: BrowserContext) -> None:
    paths = [
        "/",
        "/shows/demo/",
        "/shows/demo/morning-signal/",
        "/how-we-count/",
        "/privacy/",
        "/nothing-here/",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/invitations/unknown/",
    ]
    assert look(visitor, paths) == {}


def test_studio_pages_have_no_serious_problem(
    podcaster: BrowserContext, instance: Instance
) -> None:
    show = dashboard_path(instance)
    page = podcaster.new_page()
    page.goto(f"{show}episodes/")
    episode = page.get_by_role("link", name="Morning Signal").first.get_attribute("href")
    assert episode is not None
    page.close()
    paths = [
        "/studio/",
        show,
        f"{show}episodes/",
        f"{show}episodes/new/",
        f"{show}settings/",
        episode,
        "/studio/shows/new/",
        "/studio/trash/",
        "/studio/organization/",
        "/studio/organization/tokens/",
        "/studio/tokens/",
        "/accounts/email/",
        "/accounts/password/change/",
    ]
    assert look(podcaster, paths) == {}


def test_the_platform_page_has_no_serious_problem(admin: BrowserContext) -> None:
    assert look(admin, ["/platform/"]) == {}
