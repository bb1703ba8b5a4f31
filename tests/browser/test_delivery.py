"""Pages of an installation whose audio comes from a real bucket."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.test_pages import dashboard_path, problems, sign_in
from tests.browser.test_player import wait_for_position
from tests.instance import Instance, new_instance
from tests.media.servers import S3Server

pytestmark = [pytest.mark.browser, pytest.mark.s3]


@pytest.fixture(scope="module")
def instance(bucket: S3Server) -> Iterator[Instance]:
    """An instance that leads listeners to the bucket, and could lead them to CloudFront."""
    with new_instance(
        LONGWAVE_DELIVERY="redirect",
        LONGWAVE_CDN_DOMAIN="d111.cloudfront.net",
        LONGWAVE_CDN_ORIGIN_SECRET="a-secret-of-the-origin",
        **bucket.environment,
    ) as running:
        yield running


def test_the_player_follows_to_the_bucket(page: Page, bucket: S3Server) -> None:
    """The page's policy lets it, and jumping about works as well."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto("/shows/demo/")
    page.locator(".episode a").first.click()
    page.get_by_role("button", name="Play", exact=True).click()
    wait_for_position(page, 0.2)
    page.get_by_role("button", name="Forward 30 seconds").click()
    wait_for_position(page, 30)
    assert 302 in {answer.status for answer in answers if "/media/" in answer.url}
    sent = [answer for answer in answers if answer.url.startswith(bucket.endpoint)]
    assert {answer.status for answer in sent} == {206}


def settings_path(instance: Instance) -> str:
    return dashboard_path(instance) + "settings/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_modes_are_readable_for_everybody(
    width: int, scheme: Literal["light", "dark"], page: Page, instance: Instance
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, instance, "demo@example.com")
    page.goto(settings_path(instance))
    usual = page.get_by_role("radio", name="As usual here: from the bucket")
    expect(usual).to_be_checked()
    expect(usual).to_have_accessible_description(re.compile("Follows what this installation does"))
    expect(page.get_by_role("radio", name="Through CloudFront")).to_be_visible()
    assert problems(page) == []


def test_a_chosen_mode_holds_at_once(page: Page, instance: Instance) -> None:
    sign_in(page, instance, "demo@example.com")
    page.goto(settings_path(instance))
    # The whole card is the button: its label lies over the sentence.
    page.get_by_text("Longwave sends every byte itself").click(force=True)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    expect(page.get_by_role("radio", name="From this server", exact=True)).to_be_checked()
    enclosures = re.findall(r'enclosure url="([^"]+)"', page.request.get("/feeds/demo.xml").text())
    answer = page.request.get(enclosures[0], headers={"Range": "bytes=0-9"}, max_redirects=0)
    assert (answer.status, len(answer.body())) == (206, 10)
