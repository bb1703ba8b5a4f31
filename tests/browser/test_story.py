"""The main job, done as a person does it: from signing up to watching a download arrive."""

import base64
import re
from pathlib import Path

import feedparser
import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.instance import Instance
from tests.media.sounds import make_mp3

pytestmark = pytest.mark.browser

APP = "AntennaPod/3.5.0"
LISTENER = {"User-Agent": APP, "X-Forwarded-For": "85.214.132.117"}  # an address in Germany
SLOW_LINE = 700_000  # bytes a second: slow enough to interrupt


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four minutes of sound with tags, as an editor exports it."""
    path = tmp_path_factory.mktemp("recordings") / "harbour at night.mp3"
    return make_mp3(
        path, seconds=240, bitrate=192_000, metadata={"title": "Harbour at night", "artist": "Ada"}
    )


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
    found = re.search(r"/parts/(\d+)", url)
    return int(found[1]) if found else 0


def upload_with_interruptions(context: BrowserContext, page: Page, file: Path) -> None:
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
    line.be(bytes_per_second=SLOW_LINE)
    drop(page, file)
    wait_for_progress(page, 15)
    line.be(offline=True)
    expect(label).to_have_text("Waiting for the connection")
    line.be(bytes_per_second=SLOW_LINE)
    wait_for_progress(page, 40)
    page.get_by_role("button", name="Pause").click()
    expect(label).to_have_text("Paused")
    assert arrived
    page.on("dialog", lambda dialog: dialog.accept())  # leaving with an upload under way
    page.reload()
    expect(page.locator("audio-upload")).to_contain_text(file.name)
    drop(page, file)
    line.be()
    expect(page.locator("audio-upload [data-part=current]")).to_be_visible(timeout=60_000)
    expect(page.locator("audio-upload [data-facts]")).to_contain_text("4:00")
    # Whatever had arrived before the line broke or the page went was not sent again. The answer to
    # a part that was on its way just then may have reached nobody.
    assert len(set(arrived)) == len(arrived), sorted(arrived)


def publish(page: Page) -> None:
    page.get_by_role("button", name="Publish now").click()
    expect(page.get_by_role("heading", name="Published")).to_be_visible()


def enclosure_of(instance: Instance) -> feedparser.FeedParserDict:
    feed = feedparser.parse(httpx2.get(f"{instance.origin}/feeds/harbour-lights.xml").content)
    assert not feed.bozo
    (entry,) = feed.entries
    assert entry.title == "The first night"
    return entry.enclosures[0]


def test_from_signing_up_to_a_download_on_the_dashboard(
    instance: Instance, context: BrowserContext, page: Page, recording: Path
) -> None:
    sign_up(page)
    create_show(page)
    begin_episode(page)
    upload_with_interruptions(context, page, recording)
    publish(page)

    enclosure = enclosure_of(instance)
    assert int(enclosure.length) == recording.stat().st_size

    page.get_by_role("main").get_by_role("link", name="Harbour Lights").first.click()
    today = page.locator("[data-live-value=today]").first
    expect(today).to_have_text("0")
    expect(page.locator("[data-live-state=live], .live")).to_be_visible()

    probe = httpx2.get(enclosure.href, headers={**LISTENER, "Range": "bytes=0-1"})
    begin = httpx2.get(enclosure.href, headers={**LISTENER, "Range": "bytes=0-65535"})
    rest = httpx2.get(
        enclosure.href,
        headers={**LISTENER, "Range": "bytes=65536-", "If-Range": begin.headers["ETag"]},
    )
    assert [r.status_code for r in (probe, begin, rest)] == [206, 206, 206]
    assert begin.content + rest.content == recording.read_bytes()

    expect(today).to_have_text("1", timeout=4_000)
    latest = page.get_by_role("region", name=re.compile("Latest downloads"))
    expect(latest).to_contain_text("AntennaPod")
    expect(latest).to_contain_text("Germany")

    # Once more by the same app: still one listener. By another: two. And after a reload the same.
    httpx2.get(enclosure.href, headers=LISTENER)
    httpx2.get(enclosure.href, headers=LISTENER | {"X-Forwarded-For": "198.51.100.7"})
    expect(today).to_have_text("2", timeout=4_000)
    page.reload()
    expect(page.locator("[data-live-value=today]").first).to_have_text("2")
