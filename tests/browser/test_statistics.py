"""The statistics page in a browser: no barrier, no mouse needed, and the same without a script."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_pages import dashboard_path, problems, sign_in
from tests.instance import Instance

pytestmark = pytest.mark.browser

WIDTHS = (375, 1280)


def context_of(
    browser: Browser,
    instance: Instance,
    *,
    scheme: Literal["light", "dark"] = "light",
    has_script: bool = True,
) -> BrowserContext:
    context = browser.new_context(
        base_url=instance.origin,
        color_scheme=scheme,
        reduced_motion="reduce",
        java_script_enabled=has_script,
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(20_000)
    sign_in(context.new_page(), instance, "demo@example.com")
    return context


@pytest.fixture(scope="module")
def statistics(instance: Instance) -> str:
    return f"{dashboard_path(instance)}statistics/"


@pytest.fixture
def page(browser: Browser, instance: Instance, statistics: str) -> Iterator[Page]:
    """The page of the demo show; an error or a refused style on its console fails the test."""
    context = context_of(browser, instance)
    said: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda message: said.append(message.text) if message.type in {"error", "warning"} else None,
    )
    page.goto(statistics)
    yield page
    context.close()
    assert not said, said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_statistics_have_no_barrier_and_fit_a_phone(
    browser: Browser, instance: Instance, statistics: str, scheme: Literal["light", "dark"]
) -> None:
    context = context_of(browser, instance, scheme=scheme)
    page = context.new_page()
    page.goto(statistics)
    episode = page.locator("#episodes tbody a").first.get_attribute("href")
    assert episode is not None
    found = {}
    for path in (statistics, f"{statistics}not-counted/", episode):
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(path)
            for details in page.locator("details.panel__table").all():
                details.evaluate("element => element.open = true")
            if here := problems(page):
                found[f"{path} {width}"] = here
    context.close()
    assert found == {}


def test_arrow_keys_walk_a_chart_and_read_its_numbers(page: Page) -> None:
    chart = page.locator("section[aria-labelledby=downloads-title] [data-plot]")
    last = chart.locator(".plot__target").last
    last.focus()
    expect(chart.locator(".plot__tip")).to_contain_text("downloads")
    page.keyboard.press("ArrowLeft")
    focused = chart.locator(".plot__target:focus")
    expect(focused).to_have_attribute("tabindex", "0")
    assert "download" in (focused.get_attribute("aria-label") or "")
    assert chart.locator(".plot__target[tabindex='0']").count() == 1
    page.keyboard.press("Home")
    expect(chart.locator(".plot__target").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(chart.locator(".plot__tip")).to_have_count(0)


def test_a_pointer_finds_every_point(page: Page) -> None:
    chart = page.locator("section[aria-labelledby=downloads-title] [data-plot]")
    chart.locator(".plot__target").nth(3).hover()
    expect(chart.locator(".plot__tip strong")).to_be_visible()
    page.mouse.move(2, 2)
    expect(chart.locator(".plot__tip")).to_have_count(0)


def test_a_period_is_chosen_without_a_new_page(page: Page) -> None:
    page.evaluate("window.isSamePage = true")
    page.get_by_role("navigation", name="Period").get_by_role("link", name="90 days").click()
    chart = page.locator("section[aria-labelledby=downloads-title] [data-plot]")
    expect(chart.locator(".plot__target")).to_have_count(90)
    expect(page).to_have_url(re.compile("period=90"))
    assert page.evaluate("window.isSamePage")
    chart.locator(".plot__target").last.focus()  # the new chart can be walked as well
    expect(chart.locator(".plot__tip")).to_be_visible()
    page.go_back()
    expect(chart.locator(".plot__target")).to_have_count(30)


def test_the_keyboard_stays_where_it_was_after_a_choice(page: Page) -> None:
    link = page.get_by_role("navigation", name="Hours").get_by_role("link", name="7 days")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#hours .plot__target")).to_have_count(168)
    expect(link).to_be_focused()


def test_another_episode_is_compared_by_a_click(page: Page) -> None:
    boxes = page.locator("#compare input[name=compare]")
    lines = page.locator("#compare path.plot__line")
    before = page.locator("#compare input[name=compare]:checked").count()
    expect(page.locator("#compare .plot__svg svg path")).to_have_count(before)
    boxes.first.uncheck()
    expect(page.locator("#compare .plot__svg svg path")).to_have_count(before - 1)
    assert lines.count() >= before - 1


def test_a_new_show_proposes_the_time_zone_of_the_browser(
    browser: Browser, instance: Instance
) -> None:
    context = browser.new_context(base_url=instance.origin, timezone_id="Europe/Vienna")
    page = context.new_page()
    sign_in(page, instance, "demo@example.com")
    page.goto("/studio/shows/new/")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Vienna")
    context.close()


def test_charts_and_choosers_work_without_a_script(
    browser: Browser, instance: Instance, statistics: str
) -> None:
    context = context_of(browser, instance, has_script=False)
    page = context.new_page()
    page.goto(statistics)
    page.get_by_role("link", name="7 days", exact=True).first.click()
    expect(page.locator("[aria-labelledby=downloads-title] .plot__target")).to_have_count(7)
    table = page.locator("[aria-labelledby=downloads-title] .data-table")
    expect(table).to_be_hidden()
    page.locator("[aria-labelledby=downloads-title] summary", has_text="Show as table").click()
    expect(table).to_be_visible()
    page.locator("#compare").get_by_role("button", name="Compare").click()
    expect(page.locator("#compare")).to_be_visible()
    context.close()
