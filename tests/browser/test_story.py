"""The main job, done as a person does it: from signing up to watching a download arrive."""

import re
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.steps import (
    begin_episode,
    create_show,
    enclosure_of,
    publish,
    sign_up,
    upload_with_interruptions,
)
from tests.instance import Instance
from tests.media.sounds import make_mp3

pytestmark = pytest.mark.browser

APP = "AntennaPod/3.5.0"
LISTENER = {"User-Agent": APP, "X-Forwarded-For": "85.214.132.117"}  # an address in Germany


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four minutes of sound with tags, as an editor exports it."""
    path = tmp_path_factory.mktemp("recordings") / "harbour at night.mp3"
    return make_mp3(
        path, seconds=240, bitrate=192_000, metadata={"title": "Harbour at night", "artist": "Ada"}
    )


def test_from_signing_up_to_a_download_on_the_dashboard(
    instance: Instance, context: BrowserContext, page: Page, recording: Path
) -> None:
    sign_up(page)
    create_show(page)
    begin_episode(page)
    upload_with_interruptions(context, page, recording)
    expect(page.locator("audio-upload [data-facts]")).to_contain_text("4:00")
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
