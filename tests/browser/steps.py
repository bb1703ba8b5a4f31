"""What a person does in the studio, step by step, for tests that tell a story."""

import base64
import re
from pathlib import Path

import feedparser
import httpx2
from playwright.sync_api import BrowserContext, Page, expect

from tests.instance import Instance

SLOW_LINE = 700_000  # bytes a second: slow enough to interrupt


def sign_up(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Start a show").first.click()
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Organisation").fill("Harbour Media")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password").first.fill("a long enough secret")
    page.locator("main form").get_by_role("button").last.click()
    expect(page.get_by_role("heading", name="Your first show")).to_be_visible()


def create_show(page: Page) -> None:
    page.get_by_role("link", name="Create a show").click()
    page.get_by_label("Title", exact=True).fill("Harbour Lights")
    expect(page.get_by_label("Handle")).to_have_value("harbour-lights")
    page.get_by_label("Description").fill("What happens at night where the ships come in.")
    page.get_by_label("Category").select_option(label="Society & Culture")
    page.get_by_role("button", name="Create the show").click()
    expect(page.get_by_role("heading", name="Harbour Lights")).to_be_visible()


def begin_episode(page: Page) -> None:
    page.get_by_role("link", name="Episodes").first.click()
    page.get_by_role("link", name="New episode").first.click()
    page.get_by_label("Title", exact=True).fill("The first night")
    page.locator("main form").get_by_role("button").last.click()
    expect(page.get_by_role("heading", name="Audio")).to_be_visible()


def drop(page: Page, file: Path) -> None:
    """Let go of a file over the drop zone."""
    content = base64.b64encode(file.read_bytes()).decode()
    transfer = page.evaluate_handle(
        """([content, name]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            const file = new File([bytes], name, { type: "audio/mpeg", lastModified: 1 });
            transfer.items.add(file);
            return transfer;
        }""",
        [content, file.name],
    )
    zone = page.locator("audio-upload .drop-zone")
    for event in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": transfer})


class Line:
    """The page's connection, which can be slow or dead."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self._session = context.new_cdp_session(page)
        self._session.send("Network.enable")

    def be(self, *, bytes_per_second: int = -1, offline: bool = False) -> None:
        self._session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": offline,
                "latency": 0,
                "downloadThroughput": -1,
                "uploadThroughput": bytes_per_second,
            },
        )


def wait_for_progress(page: Page, percent: float) -> None:
    page.wait_for_function(
        "(percent) => (document.querySelector('audio-upload progress').value ?? 0) >= percent",
        arg=percent,
    )


def part_number(url: str) -> int:
    """Of our own endpoint's address of a part, or of a bucket's."""
    found = re.search(r"(?:/parts/|[?&]partNumber=)(\d+)", url)
    return int(found[1]) if found else 0


def upload_with_interruptions(
    context: BrowserContext,
    page: Page,
    file: Path,
    *,
    bytes_per_second: int = SLOW_LINE,
    has_checksums_after_reload: bool = True,
) -> list[int]:
    """Over a line that breaks, with a pause and a reload; the parts that arrived, in order."""
    arrived: list[int] = []
    page.on(
        "response",
        lambda response: (
            arrived.append(part_number(response.url))
            if response.request.method == "PUT" and response.ok
            else None
        ),
    )
    label = page.locator("[data-progress-label]")
    line = Line(context, page)
    line.be(bytes_per_second=bytes_per_second)
    drop(page, file)
    wait_for_progress(page, 15)
    line.be(offline=True)
    expect(label).to_have_text("Waiting for the connection")
    line.be(bytes_per_second=bytes_per_second)
    wait_for_progress(page, 40)
    page.get_by_role("button", name="Pause").click()
    expect(label).to_have_text("Paused")
    assert arrived
    assert len(set(arrived)) == len(arrived), arrived
    before = len(arrived)
    page.on("dialog", lambda dialog: dialog.accept())  # leaving with an upload under way
    page.reload()
    expect(page.locator("audio-upload")).to_contain_text(file.name)
    drop(page, file)
    line.be()
    expect(page.locator("audio-upload [data-part=current]")).to_be_visible(timeout=60_000)
    # Whatever had arrived before the line broke or the page went was not sent again. The answer to
    # a part that was on its way just then may have reached nobody.
    known = arrived if has_checksums_after_reload else arrived[before:]
    assert len(set(known)) == len(known), sorted(known)
    return arrived


def publish(page: Page) -> None:
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_role("heading", name="Published")).to_be_visible()


def enclosure_of(instance: Instance) -> feedparser.FeedParserDict:
    feed = feedparser.parse(httpx2.get(f"{instance.origin}/feeds/harbour-lights.xml").content)
    assert not feed.bozo
    (entry,) = feed.entries
    assert entry.title == "The first night"
    return entry.enclosures[0]
