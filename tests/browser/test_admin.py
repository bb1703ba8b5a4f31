"""The admin in a browser: its lists live, nothing breaks the policy, and a phone will do."""

import re
import uuid
from collections.abc import Iterator
from typing import Literal

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_pages import dashboard_path, sign_in
from tests.instance import Instance

pytestmark = pytest.mark.browser

LIST = "/admin/podcasts/episode/"
PAGES = (
    "/admin/",
    LIST,
    "/admin/downloads/download/",
    "/admin/frontend/kepthits/",
    "/admin/media/upload/",
    "/admin/accounts/user/",
    "/admin/logs/logsource/",
)


def context_of(
    browser: Browser, instance: Instance, scheme: Literal["light", "dark"], said: list[str]
) -> BrowserContext:
    """A browser of the platform's staff; what its console says is kept."""
    context = browser.new_context(
        base_url=instance.origin,
        color_scheme=scheme,
        reduced_motion="reduce",
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(20_000)
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on(
        "console",
        lambda message: said.append(message.text) if message.type in {"error", "warning"} else None,
    )
    sign_in(context.new_page(), instance, "admin@example.com")
    return context


@pytest.fixture
def staff(browser: Browser, instance: Instance) -> Iterator[BrowserContext]:
    said: list[str] = []
    context = context_of(browser, instance, "light", said)
    yield context
    context.close()
    assert not said, said


@pytest.fixture
def podcaster(browser: Browser, instance: Instance) -> Iterator[Page]:
    """Somebody who works in the studio meanwhile."""
    context = browser.new_context(base_url=instance.origin)
    page = context.new_page()
    sign_in(page, instance, "demo@example.com")
    yield page
    context.close()


def begin_episode(page: Page, show: str, title: str) -> None:
    page.goto(f"{show}episodes/new/")
    page.get_by_label("Title", exact=True).fill(title)
    page.locator("main form").get_by_role("button").last.click()
    expect(page.get_by_role("heading", name="Audio")).to_be_visible()


def test_an_episode_appears_in_an_open_list_by_itself(
    staff: BrowserContext, podcaster: Page, instance: Instance
) -> None:
    show = dashboard_path(instance)
    first, second, third = (f"{word} {uuid.uuid4().hex[:6]}" for word in ("One", "Two", "Three"))
    page = staff.new_page()
    page.goto(LIST)
    expect(page.locator("[data-live-text]")).to_have_text("Live")

    begin_episode(podcaster, show, first)
    row = page.locator("#result_list tbody tr", has_text=first)
    expect(row).to_be_visible()
    expect(page.locator("[data-live-voice]")).to_have_text(re.compile("row"))

    # What is ticked stays ticked, and what has the focus keeps it.
    row.locator(".action-select").check()
    row.locator("th a").focus()
    begin_episode(podcaster, show, second)
    expect(page.locator("#result_list tbody tr", has_text=second)).to_be_visible()
    expect(row.locator(".action-select")).to_be_checked()
    expect(page.locator(".action-counter")).to_contain_text("1 of ")
    expect(row.locator("th a")).to_be_focused()

    # Nothing moves while an action is being chosen.
    page.locator("select[name=action]").select_option("unpublish")
    begin_episode(podcaster, show, third)
    page.wait_for_timeout(4000)
    expect(page.locator("#result_list tbody tr", has_text=third)).to_have_count(0)
    page.locator("select[name=action]").select_option("")
    page.locator("#content h1").click()
    expect(page.locator("#result_list tbody tr", has_text=third)).to_be_visible()


def test_a_list_can_be_paused_and_comes_back_after_its_server_does(
    staff: BrowserContext, podcaster: Page, instance: Instance
) -> None:
    show = dashboard_path(instance)
    title = f"Paused {uuid.uuid4().hex[:6]}"
    page = staff.new_page()
    page.goto(LIST)
    expect(page.locator("[data-live-text]")).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-live-text]")).to_have_text("Paused")
    begin_episode(podcaster, show, title)
    page.wait_for_timeout(3000)
    row = page.locator("#result_list tbody tr", has_text=title)
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Go on").click()
    expect(row).to_be_visible()
    expect(page.locator("[data-live-text]")).to_have_text("Live")


def test_hits_appear_as_they_are_counted(staff: BrowserContext, instance: Instance) -> None:
    page = staff.new_page()
    page.goto("/admin/downloads/download/")
    expect(page.locator("[data-live-text]")).to_have_text("Live")
    rows = page.locator("#result_list tbody tr")
    before = rows.count()
    feed = httpx2.get(f"{instance.origin}/feeds/demo.xml", follow_redirects=True)
    address = re.findall(r'<enclosure url="([^"]+)"', feed.text)[0]
    agent = {
        "User-Agent": "AppleCoreMedia/1.0.0.20G75 (iPhone; U; CPU OS 16_6 like Mac OS X; en_us)"
    }
    headers = agent | {"X-Forwarded-For": f"81.2.69.{uuid.uuid4().int % 250 + 1}"}
    assert httpx2.get(address, headers=headers, follow_redirects=True).status_code == 200
    expect(rows).to_have_count(before + 1, timeout=30_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_admin_keeps_to_the_policy_on_every_kind_of_page(
    browser: Browser, instance: Instance, scheme: Literal["light", "dark"]
) -> None:
    said: list[str] = []
    context = context_of(browser, instance, scheme, said)
    page = context.new_page()
    wide = {}
    for path in PAGES:
        for width in (375, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(path)
            over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if over > 0:
                wide[f"{path} {width}"] = over
            row = page.locator("#result_list tbody a").first
            if path != "/admin/" and width == 1280 and row.count():
                row.click()
                expect(page.locator("#content h1")).to_be_visible()
    context.close()
    assert said == []
    assert wide == {}
