"""What scripts do in the studio: handles, previews, local times, typed text that is not lost."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.instance import Instance

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser, instance: Instance) -> Iterator[Page]:
    """The studio of somebody new, in New York."""
    context = browser.new_context(base_url=instance.origin, timezone_id="America/New_York")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/accounts/signup/")
    page.get_by_label("Your name").fill("Grace Hopper")
    page.get_by_label("Organisation").fill("Night Radio")
    page.get_by_label("Email").fill("grace@example.com")
    page.get_by_label("Password").first.fill("a long enough secret")
    page.locator("main form").get_by_role("button").last.click()
    expect(page.get_by_role("heading", name="Your first show")).to_be_visible()
    yield page
    context.close()


@pytest.fixture(scope="module")
def editor(page: Page) -> str:
    """The address of a draft's page; on the way there, a handle followed its title."""
    page.goto("/studio/shows/new/")
    handle, title = page.get_by_label("Handle"), page.get_by_label("Title", exact=True)
    title.fill("Café Späti, Live!")
    expect(handle).to_have_value("cafe-spati-live")
    handle.fill("night-cafe")
    title.fill("Night Café")
    expect(handle).to_have_value("night-cafe")  # what was typed stays
    expect(page.locator("[data-handle-shown]")).to_have_text("night-cafe")
    page.get_by_label("Description").fill("About the night.")
    page.get_by_label("Category").select_option(label="Society & Culture")
    page.get_by_role("button", name="Create the show").click()
    page.get_by_role("link", name="New episode").first.click()
    page.get_by_label("Title", exact=True).fill("First light")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("heading", name="Audio")).to_be_visible()
    return page.url


def test_notes_are_previewed_while_they_are_written(page: Page, editor: str) -> None:
    page.goto(editor)
    page.get_by_text("Preview", exact=True).click()
    preview = page.locator("#notes-preview")
    expect(preview).to_have_text("Nothing written yet.")
    page.get_by_label("Show notes").fill("Some **bold** words")
    expect(preview.locator("strong")).to_have_text("bold")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_leaving_with_unsaved_text_asks_first(page: Page, editor: str) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.goto(editor)
    page.on("dialog", stay)
    page.get_by_label("Title", exact=True).fill("Not saved yet")
    with page.expect_event("dialog"):
        page.get_by_role("link", name="Trash").first.click()
    assert page.url == editor
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Not saved yet")).to_be_visible()
    page.get_by_role("link", name="Trash").first.click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert asked == ["beforeunload"]
    page.remove_listener("dialog", stay)


def test_a_time_is_typed_and_shown_in_the_zone_of_the_reader(page: Page, editor: str) -> None:
    page.goto(editor)
    page.get_by_text("Publish later").click()
    expect(page.locator("[data-zone-name]")).to_have_text("America/New York")
    page.get_by_label("Date and time").fill("2099-07-01T18:00")
    page.get_by_role("button", name="Schedule").click()
    # No audio yet: refused, with the time as it was typed.
    expect(page.get_by_text("The episode has no audio yet.")).to_be_visible()
    page.locator(".publish__choice summary").click()
    expect(page.get_by_label("Date and time")).to_have_value("2099-07-01T18:00")


def test_a_deleted_episode_comes_back_from_the_toast(page: Page, editor: str) -> None:
    page.goto(editor)
    page.get_by_role("button", name="Delete the episode").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("is back.")).to_be_visible()
    assert page.url == editor
