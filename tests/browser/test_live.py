"""Live pages when things go wrong: broken lines, messages out of order, tabs nobody sees."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from tests.browser.test_pages import dashboard_path, sign_in
from tests.instance import Instance

pytestmark = pytest.mark.browser

LISTENER = {"User-Agent": "AntennaPod/3.5.0"}
# Two failures with their pauses, of each of the better ways.
FALLING_BACK_MS = 20_000


@pytest.fixture
def page(browser: Browser, instance: Instance) -> Iterator[Page]:
    """A podcaster's browser, not yet at the dashboard."""
    context = browser.new_context(base_url=instance.origin)
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, instance, "demo@example.com")
    yield page
    context.close()


def download(instance: Instance, address: str) -> None:
    """Somebody new fetches the demo's first episode."""
    feed = httpx2.get(f"{instance.origin}/feeds/demo.xml").text
    url = feed.split('<enclosure url="')[1].split('"')[0]
    answer = httpx2.get(url, headers=LISTENER | {"X-Forwarded-For": address})
    assert answer.status_code == 200


def indicator(page: Page) -> Any:
    return page.locator("[data-live-text]")


def number(page: Page, name: str) -> int:
    return int(page.locator(f"[data-live-value={name}]").get_attribute("data-value") or 0)


def hang_up(socket: WebSocketRoute) -> None:
    socket.close(code=1011, reason="no sockets here")


def refuse(route: Route) -> None:
    route.abort()


def test_without_sockets_events_come_as_a_stream(page: Page, instance: Instance) -> None:
    page.route_web_socket("**/live/**", hang_up)
    with page.expect_request("**/live", timeout=FALLING_BACK_MS):
        page.goto(dashboard_path(instance))
    expect(indicator(page)).to_have_text("Live")
    before = number(page, "today")

    download(instance, "198.51.100.21")

    today = page.locator("[data-live-value=today]")
    expect(today).to_have_attribute("data-value", str(before + 1), timeout=4_000)


def test_without_sockets_and_streams_the_page_asks(page: Page, instance: Instance) -> None:
    page.route_web_socket("**/live/**", hang_up)
    page.route("**/live", refuse)

    page.goto(dashboard_path(instance))

    expect(indicator(page)).to_have_text("Every 10 seconds", timeout=2 * FALLING_BACK_MS)


def test_whoever_has_signed_out_is_told_so(page: Page, instance: Instance) -> None:
    page.route_web_socket("**/live/**", hang_up)
    page.route("**/live", refuse)
    page.goto(dashboard_path(instance))
    page.context.clear_cookies()

    expect(indicator(page)).to_have_text("Signed out", timeout=2 * FALLING_BACK_MS)


def test_after_midnight_yesterday_keeps_its_bar_and_todays_tables_begin_anew(
    page: Page, instance: Instance
) -> None:
    today = page.locator("[data-live-value=today]")
    last_bar = page.locator("[data-live-chart] .chart__bar--last")
    page.goto(dashboard_path(instance))
    download(instance, "198.51.100.23")
    expect(today).not_to_have_attribute("data-value", "0")
    expect(page.locator("[data-live-apps]")).to_contain_text("AntennaPod")
    sockets: list[WebSocketRoute] = []
    page.route_web_socket("**/live/**", lambda socket: sockets.append(socket))
    page.reload()
    expect(indicator(page)).to_have_text("Live")
    before = last_bar.get_attribute("data-value")
    assert before != "0"

    shown = json.loads(page.locator("[data-live]").get_attribute("data-shown") or "")
    nothing = {"today": 0, "apps": [], "countries": [], "top_episodes": []}
    at = {"sequence": shown["sequence"] + 1000, "day_ends_at": "2999-01-01T00:00:00+00:00"}
    sockets[-1].send(json.dumps(shown | at | nothing))

    expect(today).to_have_attribute("data-value", "0")
    for name in ("apps", "countries", "episodes"):
        expect(page.locator(f"[data-live-{name}]")).to_have_text("No downloads yet today.")
    expect(last_bar).to_have_attribute("data-value", before or "")


def numbers_come(page: Page, socket: WebSocketRoute, minutes: list[int], more: int) -> int:
    """The board hears of these minutes and so many more downloads; how many today has then."""
    shown = json.loads(page.locator("[data-live]").get_attribute("data-shown") or "")
    changed = {"sequence": shown["sequence"] + 1000, "today": shown["today"] + more}
    socket.send(json.dumps(shown | changed | {"minutes": minutes}))
    return int(changed["today"])


def test_keys_walk_the_last_hour_and_its_words_follow_the_numbers(
    page: Page, instance: Instance
) -> None:
    sockets: list[WebSocketRoute] = []
    page.route_web_socket("**/live/**", lambda socket: sockets.append(socket))
    page.goto(dashboard_path(instance))
    expect(indicator(page)).to_have_text("Live")
    hour = page.locator("[data-live-hour]")
    hour.locator("summary").focus()
    page.keyboard.press("Shift+Tab")
    this_minute = hour.locator(".plot__target").last
    expect(this_minute).to_be_focused()
    expect(hour.locator(".plot__tip")).to_contain_text("This minute")
    heard = this_minute.get_attribute("aria-label") or ""

    numbers_come(page, sockets[-1], [0] * 57 + [1234, 2, 41], more=5000)

    expect(hour.locator(".plot__tip")).to_contain_text("41 downloads")
    assert this_minute.get_attribute("aria-label") == heard  # or it would be read out each second
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    two_ago = hour.locator(".plot__target").nth(57)
    expect(two_ago).to_be_focused()
    expect(two_ago).to_have_attribute("aria-label", "2 minutes ago, 1\u202f234 downloads")
    expect(this_minute).to_have_attribute("aria-label", "This minute, 41 downloads")


def test_tables_follow_the_numbers_and_are_not_read_out(page: Page, instance: Instance) -> None:
    sockets: list[WebSocketRoute] = []
    page.route_web_socket("**/live/**", lambda socket: sockets.append(socket))
    page.goto(dashboard_path(instance))
    expect(indicator(page)).to_have_text("Live")
    hour, days = page.locator("[data-live-hour]"), page.locator("[data-live-chart]")
    today = numbers_come(page, sockets[-1], [0] * 57 + [1234, 2, 41], more=5000)

    hour.locator("summary").focus()
    page.keyboard.press("Enter")
    table = hour.locator("tbody tr")
    expect(table.first).to_be_visible()
    expect(table).to_have_count(60)
    rows = [" ".join(text.split("\t")) for text in table.all_inner_texts()]
    assert rows[:4] == [
        "This minute 41",
        "1 minute ago 2",
        "2 minutes ago 1\u202f234",
        "3 minutes ago 0",
    ]
    words = f"{today:,}".replace(",", "\u202f")
    expect(days.locator("tbody tr").last.locator("td").first).to_have_text(words)
    expect(days.locator(".plot__target").last).to_have_attribute(
        "aria-label", re.compile(f", {words} downloads, Provisional")
    )
    noisy = "[data-live-hour] [aria-live], [data-live-chart] [aria-live]"
    assert page.locator(noisy).count() == 0


def test_a_page_that_nobody_sees_hears_nothing_and_catches_up(
    page: Page, instance: Instance
) -> None:
    page.clock.install()
    page.goto(dashboard_path(instance))
    expect(indicator(page)).to_have_text("Live")
    before = number(page, "today")

    show(page, is_hidden=True)
    page.clock.fast_forward(25_000)
    expect(indicator(page)).to_have_text("Paused")
    download(instance, "198.51.100.22")
    show(page, is_hidden=False)

    expect(indicator(page)).to_have_text("Live")
    today = page.locator("[data-live-value=today]")
    expect(today).to_have_attribute("data-value", str(before + 1), timeout=6_000)


def show(page: Page, *, is_hidden: bool) -> None:
    page.evaluate(
        """(isHidden) => {
            Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


TODAY, TOMORROW = "2026-10-15T00:00:00+00:00", "2026-10-16T00:00:00+00:00"
FIGURES = {"today": 5, "week": 9, "total": 50}
SHOWN = {"epoch": 1, "sequence": 100_000, "day_ends_at": TODAY, **FIGURES}


@pytest.mark.parametrize(
    ("message", "figures"),
    [
        ({"sequence": 101_000, "today": 6, "total": 51}, (6, 9, 51)),
        ({"sequence": 99_000, "today": 6, "total": 51}, None),
        ({"sequence": 101_000, "today": 4, "week": 8, "total": 49}, (5, 9, 50)),
        ({"sequence": 101_000, "epoch": 2, "today": 4, "week": 8, "total": 49}, (4, 8, 49)),
        ({"sequence": 99_000, "epoch": 2, "today": 4, "total": 49}, None),
        (
            {"sequence": 101_000, "day_ends_at": TOMORROW, "today": 0, "week": 7, "total": 49},
            (0, 7, 50),
        ),
        ({"sequence": 10_000, "today": 6}, (6, 9, 50)),
        ({"sequence": 101_000, "epoch": None, "today": 4, "total": 51}, (5, 9, 51)),
    ],
    ids=[
        "newer and more",
        "older",
        "newer and less",
        "a recount",
        "from before a recount",
        "another day",
        "another clock",
        "without Valkey",
    ],
)
def test_a_number_falls_only_for_a_recount_or_another_day(
    page: Page, message: dict[str, object], figures: tuple[int, int, int] | None
) -> None:
    found = page.evaluate(
        """async ([shown, message]) => {
            const { Order } = await import("/static/js/live-order.js");
            return new Order(shown).accept({ ...shown, ...message });
        }""",
        [SHOWN, message],
    )

    assert (found and (found["today"], found["week"], found["total"])) == figures


def test_an_episodes_total_never_falls_either(page: Page) -> None:
    found = page.evaluate(
        """async ([shown, messages]) => {
            const { Order } = await import("/static/js/live-order.js");
            const order = new Order(shown);
            return messages.map((message) => order.accept({ ...shown, ...message }).episodes);
        }""",
        [SHOWN, [{"episodes": {"a": 3}}, {"episodes": {"a": 2, "b": 1}}, {"episodes": {}}]],
    )

    assert found == [{"a": 3}, {"a": 3, "b": 1}, {"a": 3, "b": 1}]
