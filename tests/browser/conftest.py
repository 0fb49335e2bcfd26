"""A real Chromium for the browser tests.

They are a pytest run of their own (`make browser`): Playwright's synchronous interface keeps an event loop running in
the main thread, and asyncio tests fail beside that.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.conftest import own_server as server  # noqa: F401  # the same servers as the journeys'
from tests.journeys.harness import Server

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
"""CI runs as root, where Chromium's sandbox does not; the pages are our own."""

WAIT_MS = 10_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:  # noqa: F811  # the fixture of that name
    """A page of a fresh profile at the server's address; an error in its console fails the test."""
    context = browser.new_context(base_url=server.url)
    context.set_default_timeout(WAIT_MS)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors
