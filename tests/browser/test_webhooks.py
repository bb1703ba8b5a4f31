"""A webhook from the empty page to its deletion, as somebody sets one up who has a receiver."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.instance import Instance, wait_for
from tests.webhooks.receiver import Receiver, receiving

pytestmark = pytest.mark.browser
# A worker that prepares the demo's audio takes the message when it can.
SENT_MS = 30_000


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture(scope="module")
def page(browser: Browser, instance: Instance) -> Iterator[Page]:
    """The studio of somebody new; what the Content-Security-Policy stops fails the module."""
    context = browser.new_context(base_url=instance.origin, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    stopped: list[str] = []
    context.on(
        "console",
        lambda m: stopped.append(m.text) if "Content Security Policy" in m.text else None,
    )
    page = context.new_page()
    page.goto("/accounts/signup/")
    page.get_by_label("Your name").fill("Hedy Lamarr")
    page.get_by_label("Organisation").fill("Hopping Radio")
    page.get_by_label("Email").fill("hedy@example.com")
    page.get_by_label("Password").first.fill("a long enough secret")
    page.locator("main form").get_by_role("button").last.click()
    expect(page.get_by_role("heading", name="Your first show")).to_be_visible()
    yield page
    context.close()
    assert stopped == []


@pytest.fixture(scope="module")
def webhook(page: Page, receiver: Receiver) -> str:
    """The address of a webhook's page; on the way there, its secret was shown."""
    page.goto("/studio/organization/")
    page.get_by_role("link", name="Webhooks").click()
    expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Address").fill("https://10.0.0.1/")
    page.get_by_text("An episode is published").click()
    page.get_by_role("button", name="Create the webhook").click()
    expect(page.get_by_text("not on the public internet")).to_be_visible()
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_label("Name").fill("Tells our chat")
    page.get_by_role("button", name="Create the webhook").click()
    expect(page.get_by_role("heading", name="The webhook is set up")).to_be_visible()
    receiver.secret = page.get_by_label("The secret", exact=True).input_value()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.get_by_role("link", name="To the webhook").click()
    expect(page.get_by_role("heading", name="Tells our chat")).to_be_visible()
    assert receiver.secret not in page.content()
    return page.url


def test_a_test_arrives_while_one_looks_on(page: Page, webhook: str, receiver: Receiver) -> None:
    receiver.status, receiver.body = 200, b"Got it"
    page.goto(webhook)
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("heading", name="ping")).to_be_visible()
    expect(page.get_by_text("Arrived")).to_be_visible(timeout=SENT_MS)
    expect(page.get_by_text("Got it")).to_be_visible()
    (message,) = receiver.messages()
    assert message["type"] == "ping"


def test_what_failed_is_seen_and_sent_again(page: Page, webhook: str, receiver: Receiver) -> None:
    receiver.status, receiver.body = 500, b"Out of order"
    page.goto(webhook)
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The receiver answered 500")).to_be_visible(timeout=SENT_MS)
    page.goto(webhook)
    expect(page.get_by_text("Messages fail")).to_be_visible()
    page.get_by_label("Status").select_option(label="Failed")
    page.get_by_role("button", name="Show", exact=True).click()
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("link", name="ping").click()
    receiver.status = 204
    page.get_by_role("button", name="Send it again").press("Enter")
    expect(page.get_by_text("Arrived")).to_be_visible(timeout=SENT_MS)
    wait_for(lambda: len(receiver.received) == 3, seconds=10)
    assert receiver.received[1].id == receiver.received[2].id
    page.goto(webhook)
    expect(page.get_by_text("Works")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_pages_have_no_barriers_that_axe_finds_and_fit_a_phone(
    page: Page, webhook: str, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(webhook)
    delivery = page.locator("tbody a").first.get_attribute("href")
    assert delivery
    root = "/studio/organization/webhooks/"
    for address in (root, f"{root}new/", webhook, f"{webhook}edit/", delivery):
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(address)
            violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
            assert [(v["id"], v["nodes"][0]["html"]) for v in violations] == [], address
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
    page.set_viewport_size({"width": 1280, "height": 900})


def test_deleting_asks_first_and_can_be_done_by_keyboard(page: Page, webhook: str) -> None:
    page.goto(webhook)
    page.get_by_role("button", name="Delete").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete “Tells our chat”?")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Delete").press("Enter")
    dialog.get_by_role("button", name="Delete").press("Enter")
    expect(page.get_by_role("heading", name="No webhooks yet")).to_be_visible()
