"""Sockets that real pages in a real browser open: /ws/app with the session, and the documents' bare host with a key."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

QUOTE_OVER_SOCKET = """
(url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send(JSON.stringify({type: "subscribe", channels: ["trading:quotes:EUR-USD"]}));
    socket.onmessage = (message) => {
        const event = JSON.parse(message.data);
        if (event.event === "quote") { socket.close(); resolve(event); }
    };
    socket.onerror = () => resolve("refused");
})
"""

# The tick document's sample client, in a page: it receives, authenticates, receives, subscribes, receives.
TICK_SAMPLE = """
([url, apiKey]) => new Promise((resolve, reject) => {
    const messages = [];
    const socket = new WebSocket(url);
    const send = (message) => socket.send(JSON.stringify(message));
    socket.onmessage = (message) => {
        messages.push(JSON.parse(message.data));
        if (messages.length === 1) send({type: "auth", apiKey});
        if (messages.length === 2) send({type: "subscribe", symbols: ["EURUSD", "GBPUSD", "XAUUSD"]});
        if (messages.filter(({type}) => type === "tick").length === 5) { socket.close(); resolve(messages); }
    };
    socket.onclose = ({code, reason}) => reject(new Error(`${code} ${reason}`));
})
"""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of an empty page of another origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as other:
        thread = Thread(target=other.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}/"
        other.shutdown()
        thread.join()


class EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<!doctype html><link rel="icon" href="data:,"><title>elsewhere</title>')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def logged_in(page, server):
    """A page on which the administrator of the first start has logged in with the password that it printed."""
    page.goto("/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", server.shown_once("password"))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("#user-tools")
    return page


def test_the_printed_password_opens_the_administrators_pages(logged_in):
    assert "admin" in logged_in.inner_text("#user-tools").lower()


def test_a_page_of_this_server_receives_quotes(logged_in, server):
    event = logged_in.evaluate(QUOTE_OVER_SOCKET, f"{server.ws_url}/ws/app")
    assert event["data"][0] == "EUR-USD"
    assert event["sequence"] == 1


def test_a_page_of_another_origin_is_refused(open_page, server, session, elsewhere):
    # With the session's cookie, which does not know ports; and refused by our server, not by the browser.
    expected = [elsewhere, "Unexpected response code: 403"]
    with open_page(server, expected=expected, storage_state=session) as page:
        page.goto(elsewhere)
        with page.expect_console_message(lambda message: "403" in message.text):
            assert page.evaluate(QUOTE_OVER_SOCKET, f"{server.ws_url}/ws/app") == "refused"


def test_the_tick_documents_sample_runs_in_a_page(page, server):
    page.goto("/login")
    welcome, auth, subscribed, *ticks = page.evaluate(TICK_SAMPLE, [server.ws_url, server.shown_once("demo API key")])
    assert welcome["type"] == "welcome"
    assert auth == {"type": "auth", "success": True, "message": "Authenticated successfully"}
    assert subscribed == {"type": "subscribed", "symbols": ["EURUSD", "GBPUSD", "XAUUSD"], "totalSubscriptions": 3}
    for tick in ticks:
        assert list(tick) == ["type", "symbol", "bid", "ask", "time"]
        assert tick["symbol"] in subscribed["symbols"]
        assert 0 < tick["bid"] <= tick["ask"]
