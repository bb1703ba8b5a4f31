"""The player on an episode's page, on the demo's music, with real audio and real keys."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def episode(page: Page) -> Page:
    """The page of the demo's newest episode."""
    page.goto("/shows/demo/")
    page.locator(".episode a").first.click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    return page


def position(page: Page) -> float:
    """Seconds into the episode."""
    return float(page.evaluate("document.querySelector('audio').currentTime"))


def wait_for_position(page: Page, seconds: float) -> None:
    """Until at least so much was played or jumped over."""
    page.wait_for_function(
        "seconds => document.querySelector('audio').currentTime >= seconds", arg=seconds
    )


def test_nothing_is_fetched_before_somebody_presses_play(episode: Page) -> None:
    asked: list[str] = []
    episode.on("request", lambda r: asked.append(r.url) if "/media/" in r.url else None)
    episode.reload()
    episode.wait_for_load_state("networkidle")
    assert asked == []
    episode.get_by_role("button", name="Play", exact=True).click()
    wait_for_position(episode, 0.2)
    assert asked


def test_a_list_plays_in_its_rows_and_one_at_a_time(page: Page) -> None:
    page.goto("/shows/demo/")
    page.get_by_role("button", name="Play Morning Signal").click()
    wait_for_position(page, 0.2)
    first, second = page.locator(".episode").nth(0), page.locator(".episode").nth(1)
    expect(first.get_by_role("button", name="Pause Morning Signal")).to_be_visible()
    first.get_by_label("Position in the episode").press("PageUp")
    wait_for_position(page, 60)
    second.get_by_role("button", name="Play Night Transmission").click()
    expect(second.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(first.get_by_role("button", name="Play Morning Signal")).to_be_visible()
    paused = "[...document.querySelectorAll('audio')].map(audio => audio.paused)"
    assert page.evaluate(paused) == [True, False]
    second.get_by_role("button", name="Pause Night Transmission").click()
    assert page.evaluate(paused) == [True, True]
    second.get_by_role("link", name="Night Transmission").click()  # the rest of the row leads there
    expect(page.get_by_role("heading", name="Night Transmission")).to_be_visible()


def test_it_plays_pauses_skips_and_seeks_with_keys(episode: Page) -> None:
    episode.get_by_role("button", name="Play", exact=True).click()
    wait_for_position(episode, 0.2)
    episode.get_by_role("button", name="Forward 30 seconds").click()
    wait_for_position(episode, 30)
    seek = episode.get_by_label("Position in the episode")
    seek.press("PageUp")
    wait_for_position(episode, 90)
    seek.press("Space")
    expect(episode.get_by_role("button", name="Play", exact=True)).to_be_visible()
    before = position(episode)
    seek.press("ArrowLeft")
    assert before - 6 < position(episode) < before
    expect(seek).to_have_attribute("aria-valuetext", re.compile(r"^1 minute \d+ seconds? of 2 min"))


def test_it_goes_on_where_one_stopped(episode: Page) -> None:
    episode.get_by_role("button", name="Play", exact=True).click()
    wait_for_position(episode, 0.2)
    episode.get_by_role("button", name="Forward 30 seconds").click()
    wait_for_position(episode, 30)
    episode.get_by_role("button", name="Pause").click()
    episode.get_by_label("Speed").select_option("1.5")
    episode.reload()
    expect(episode.locator("[data-player-now]")).to_have_text(re.compile(r"^0:3\d$"))
    expect(episode.get_by_label("Speed")).to_have_value("1.5")
    episode.get_by_role("button", name="Play", exact=True).click()
    wait_for_position(episode, 30)


def test_chapters_and_times_in_the_notes_jump_there(episode: Page) -> None:
    episode.locator(".chapters button").nth(2).click()
    chapter = float(episode.locator(".chapters button").nth(2).get_attribute("data-play-at") or 0)
    wait_for_position(episode, chapter)
    episode.locator(".prose button[data-play-at]").first.click()
    episode.wait_for_function("document.querySelector('audio').currentTime < 5")
