"""A real Chromium for the browser tests.

They are a pytest run of their own (`make browser`): Playwright's synchronous interface keeps an event loop running in
the main thread, and asyncio tests fail beside that.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

from tests.journeys.conftest import server  # noqa: F401  # the same server as the journeys'
from tests.journeys.harness import Server

HERE = Path(__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
"""CI runs as root, where Chromium's sandbox does not; the pages are our own."""

WAIT_MS = 15_000
"""Longer than the longest thing that is waited for: a server's start, and the pause before a page comes back."""

OpenPage = Callable[..., AbstractContextManager[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def open_page(browser: Browser) -> OpenPage:
    """Open a page of a fresh profile at a server's address: `with open_page(server, viewport=…) as page`.

    An error in its console, or a request to anywhere else, fails the test, unless it contains one of `expected`.
    """

    @contextmanager
    def opened(at: Server, *, expected: Sequence[str] = (), **options: Any) -> Iterator[Page]:
        context = browser.new_context(base_url=at.url, **options)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        troubles: list[str] = []

        def note(text: str, is_trouble: bool = True) -> None:
            if is_trouble:
                troubles.append(text)

        page.on("pageerror", lambda error: note(str(error)))
        page.on("console", lambda message: note(message.text, message.type in ("error", "warning")))
        page.on("request", lambda request: note(request.url, _is_outside(request.url, at)))
        page.on("websocket", lambda socket: note(socket.url, _is_outside(socket.url, at)))
        yield page
        context.close()
        assert not [trouble for trouble in troubles if not any(part in trouble for part in expected)]

    return opened


@pytest.fixture
def page(open_page: OpenPage, server: Server) -> Iterator[Page]:  # noqa: F811  # the fixture of that name
    """A page on which nobody has logged in."""
    with open_page(server) as opened:
        yield opened


@pytest.fixture(scope="session")
def session(open_page: OpenPage, server: Server) -> StorageState:  # noqa: F811  # (as above)
    """The cookies of one log-in to the shared server: log-ins are limited. Do not log out with them."""
    with open_page(server) as page:
        log_in(page, server)
        return page.context.storage_state()


@pytest.fixture
def live(open_page: OpenPage, server: Server, session: StorageState) -> Iterator[Page]:  # noqa: F811  # (as above)
    """The live page of somebody who has logged in, with its first prices and candles."""
    with open_page(server, storage_state=session) as page:
        page.goto("/")
        assert_live(page)
        yield page


def _is_outside(url: str, at: Server) -> bool:
    return urlsplit(url).scheme != "data" and urlsplit(url).netloc != urlsplit(at.url).netloc


def log_in(page: Page, at: Server) -> None:
    """Go to the live page through the log-in, as the administrator whose password the first start has printed."""
    page.goto("/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(at.shown_once("password"))
    page.get_by_role("button", name="Log in").click()
    assert_live(page)


def assert_live(page: Page) -> None:
    """Wait for the page to say that it is connected and to show prices and candles."""
    expect(page.locator("#connection-text")).to_have_text("Live")
    expect(bid(page, "EUR-USD")).to_contain_text(".")
    expect(page.locator("#chart-loading")).to_be_hidden()
    expect(page.locator("#legend")).to_be_visible()


def bid(page: Page, product: str) -> Any:
    """Return the locator of a product's bid in the table."""
    return row(page, product).locator("td").first


def row(page: Page, product: str) -> Any:
    return page.locator(f'[data-product="{product}"]')


def assert_moves(page: Page, product: str = "EUR-USD") -> None:
    """Wait until the price in the table is another one."""
    expect(bid(page, product)).not_to_have_text(bid(page, product).inner_text())


class Traffic:
    """What a page loads, by kind: bytes of bodies as they came over the wire, and of all headers."""

    def __init__(self, page: Page) -> None:
        self.bodies: dict[str, int] = {}
        self.headers = self.answers = 0
        self._kinds: dict[str, tuple[str, int]] = {}
        client = page.context.new_cdp_session(page)
        client.send("Network.enable")
        client.on("Network.responseReceived", self._began)
        client.on("Network.loadingFinished", self._ended)

    def of(self, *kinds: str) -> int:
        return sum(self.bodies.get(kind, 0) for kind in kinds)

    def _began(self, event: Any) -> None:
        self._kinds[event["requestId"]] = event["type"], int(event["response"]["encodedDataLength"])

    def _ended(self, event: Any) -> None:
        kind, headers = self._kinds.get(event["requestId"], ("Other", 0))
        self.bodies[kind] = self.bodies.get(kind, 0) + int(event["encodedDataLength"]) - headers
        self.headers += headers
        self.answers += 1
