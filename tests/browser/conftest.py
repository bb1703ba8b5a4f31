"""A Chromium and a running instance for tests that do what a person does."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.instance import Instance, running_instance
from tests.media.servers import S3Server, s3_server

PART_BYTES = 256 * 1024


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; without one the test is skipped, or fails where one is required."""
    path = os.environ.get("LONGWAVE_CHROMIUM", "")
    if not path:
        if os.environ.get("LONGWAVE_REQUIRE_BROWSER"):
            pytest.fail("A Chromium is required here: name it in LONGWAVE_CHROMIUM.")
        pytest.skip("no Chromium: run make test, or name one in LONGWAVE_CHROMIUM")
    return path


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 service of the module's own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium that asks nobody outside.

    For a module, not longer: Playwright's event loop lives in this thread until it is stopped, and
    Django would refuse its sync code to every later test.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def instance() -> Iterator[Instance]:
    """An instance with parts of uploads that are small enough to be interrupted between them.

    Its webhooks may go to this machine.
    """
    with running_instance(
        LONGWAVE_UPLOAD_PART_BYTES=str(PART_BYTES),
        LONGWAVE_TRUSTED_PROXIES="127.0.0.0/8",
        LONGWAVE_WEBHOOK_NETWORKS="127.0.0.0/8",
        LONGWAVE_WEBHOOK_ALLOW_HTTP="1",
    ) as running:
        yield running


@pytest.fixture
def context(browser: Browser, instance: Instance) -> Iterator[BrowserContext]:
    """A browser without cookies; an error on any page's console fails the test."""
    context = browser.new_context(base_url=instance.origin, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    problems: list[str] = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on(
        "console",
        lambda message: (
            problems.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield context
    context.close()
    assert not problems, problems


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of that browser."""
    return context.new_page()
