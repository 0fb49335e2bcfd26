"""The browser's own socket, /ws/app, opened by real pages in a real browser."""

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


@pytest.fixture
def logged_in(page, server):
    """A page on which the administrator of the first start has logged in with the password that it printed."""
    page.goto("/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", server.shown_once("password"))
    page.click("input[type=submit]")
    page.wait_for_selector("#user-tools")
    return page


def test_the_printed_password_opens_the_administrators_pages(logged_in):
    assert "admin" in logged_in.inner_text("#user-tools").lower()


def test_a_page_of_this_server_receives_quotes(logged_in, server):
    event = logged_in.evaluate(QUOTE_OVER_SOCKET, f"{server.ws_url}/ws/app")
    assert event["data"][0] == "EUR-USD"
    assert event["sequence"] == 1


def test_a_page_of_another_origin_is_refused(page, server):
    page.goto("data:text/html,<title>elsewhere</title>")
    assert page.evaluate(QUOTE_OVER_SOCKET, f"{server.ws_url}/ws/app") == "refused"
