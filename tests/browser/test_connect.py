"""The Connect page in a real browser: the console against a real server, and the clients that it shows, run."""

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.axe import assert_accessible
from tests.journeys.harness import eventually
from tests.journeys.test_readme import lines_printed
from tests.plugins.services import ROOT
from tools.setup import node_command

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def connect(open_page, server, session):
    """The page of somebody who has logged in."""
    with open_page(server, storage_state=session) as page:
        page.goto("/connect")
        yield page


def choose(page, address):
    page.get_by_label("Address").select_option(address)


def send(page, message=None):
    if message is not None:
        page.get_by_label("Message", exact=True).fill(json.dumps(message))
    page.get_by_role("button", name="Send").click()


def frame(page, text):
    """Return the newest frame that contains a text."""
    return page.locator(".frame", has_text=text).first


# ---- the console


def test_the_events_of_ones_own_session_come_and_a_trade_is_answered(connect):
    connect.get_by_role("button", name="Connect", exact=True).click()
    expect(connect.get_by_text("Connected", exact=True)).to_be_visible()
    connect.get_by_role("button", name="My demo account").click()
    send(connect)
    expect(frame(connect, '"type":"subscribed"')).to_be_visible()
    expect(frame(connect, '"event":"snapshot_demo"')).to_be_visible()
    connect.get_by_role("button", name="Buy (demo)").click()
    send(connect)
    expect(frame(connect, '"type":"result"')).to_be_visible()
    expect(frame(connect, '"event":"position_demo:new"')).to_be_visible()


def test_heartbeats_can_be_hidden_frames_spread_out_held_and_cleared(connect):
    connect.get_by_role("button", name="Connect", exact=True).click()
    connect.get_by_role("button", name="Quotes", exact=True).click()
    send(connect)
    expect(frame(connect, '"event":"heartbeat"')).to_be_visible()
    connect.get_by_label("Hide heartbeats").check()
    expect(connect.locator(".frame", has_text="heartbeat")).to_have_count(0)
    connect.get_by_label("Pretty").check()
    expect(frame(connect, '"event": "quote"')).to_be_visible()
    connect.get_by_role("button", name="Pause").click()
    expect(connect.get_by_role("button", name=re.compile(r"Go on \(\d+ new\)"))).not_to_have_text("Go on (0 new)")
    connect.get_by_role("button", name="Clear").click()
    expect(connect.locator(".frame")).to_have_count(0)
    connect.get_by_role("button", name="Go on").click()
    expect(frame(connect, '"event": "quote"')).to_be_visible()


def test_a_tick_stream_with_a_key_until_the_key_is_revoked(connect, server):
    key = server.issue_key("ann")
    choose(connect, "/ws/ticks")
    connect.get_by_role("button", name="Connect", exact=True).click()
    expect(frame(connect, '"type":"welcome"')).to_be_visible()
    send(connect, {"type": "auth", "apiKey": key.secret})
    expect(frame(connect, '"success":true')).to_be_visible()
    connect.get_by_role("button", name="Subscribe", exact=True).click()
    send(connect)
    expect(frame(connect, '"type":"tick"')).to_be_visible()
    server.manage("revoke_key", key.id)
    expect(connect.locator("#state-words")).to_contain_text(
        "Closed with 4010 (access_revoked). Its access was taken away"
    )
    expect(connect.locator("#state-words")).to_contain_text("Coming back by itself is of no use.")
    expect(connect.get_by_role("button", name="Send")).to_be_disabled()


def test_a_message_signed_in_the_page_is_accepted(connect, server):
    key = server.issue_key("ann")
    choose(connect, "/ws/events")
    connect.get_by_role("button", name="Connect", exact=True).click()
    connect.get_by_text("Sign with a key").click()
    connect.get_by_label("Key id").fill(key.id)
    connect.get_by_label("Secret").fill(key.secret)
    connect.get_by_role("button", name="Insert the message").click()
    expect(connect.get_by_text("Send it within 30 s.")).to_be_visible()
    send(connect)
    expect(frame(connect, '"accounts":{"demo"')).to_be_visible()


def test_what_is_wrong_is_answered_and_shown_as_text(connect):
    connect.get_by_role("button", name="Connect", exact=True).click()
    send(connect, {"type": "<img src=x onerror='window.hit = 1'>"})
    expect(frame(connect, "unknown_type")).to_be_visible()
    connect.get_by_label("Message", exact=True).fill("no json")
    connect.get_by_label("Message", exact=True).press("Control+Enter")
    expect(frame(connect, "invalid_json")).to_be_visible()
    assert connect.evaluate("() => window.hit") is None
    connect.get_by_role("button", name="Disconnect", exact=True).click()
    expect(connect.locator("#state-words")).to_contain_text("Closed with 1000")


def test_a_server_that_is_killed_is_told_of(open_page, server, session):
    with open_page(server, expected=["ERR_CONNECTION"], storage_state=session) as page:
        page.goto("/connect")
        page.get_by_role("button", name="Connect", exact=True).click()
        expect(page.get_by_text("Connected", exact=True)).to_be_visible()
        server.kill()
        expect(page.locator("#state-words")).to_contain_text("Closed with 1006. It was lost without a goodbye")
        server.start(server.answers)


# ---- clients to copy


def shown(page, file):
    return page.locator(f'[data-file="{file}"]').text_content()


@pytest.fixture
def key(server):
    return server.issue_key("ann", "--env", "demo", "--scope", "market", "--scope", "read", "--scope", "trade")


def with_key(code, key):
    return code.replace("tk_demo_…", key.secret).replace("8b6bcdc6-…", key.id)


def test_the_tick_streams_python_sample_runs_as_shown(connect, key, tmp_path):
    code = with_key(shown(connect, "tick_stream.py"), key)
    lines = lines_printed([sys.executable, "-u", "-c", code], cwd=tmp_path, wanted="XAUUSD ")
    assert lines[1] == "Auth: Authenticated successfully"


def test_the_event_streams_python_sample_runs_as_shown(connect, key, tmp_path):
    code = with_key(shown(connect, "event_stream.py"), key)
    lines = lines_printed([sys.executable, "-u", "-c", code], cwd=tmp_path, wanted='"event":"quote"')
    assert '"accounts":{"demo":{"epoch":' in lines[0]


def test_the_event_streams_python_sample_ends_when_its_key_is_revoked(connect, server, key, tmp_path):
    code = with_key(shown(connect, "event_stream.py"), key)
    log = tmp_path / "output.txt"
    with log.open("wb") as output:
        child = subprocess.Popen([sys.executable, "-u", "-c", code], stdout=output, stderr=output)
        try:
            eventually(lambda: '"event":"quote"' in log.read_text())
            server.manage("revoke_key", key.id)
            assert child.wait(timeout=10) == 0
        finally:
            child.kill()
            child.wait()
    assert log.read_text().splitlines()[-1] == "closed: 4010 access_revoked"


def test_the_node_sample_runs_as_shown(connect, key, tmp_path):
    (tmp_path / "sample.cjs").write_text(with_key(shown(connect, "event_stream.cjs"), key))
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    lines_printed([*node_command(), "sample.cjs"], cwd=tmp_path, wanted="event: 'quote'")


def test_the_browsers_sample_runs_in_a_page_as_shown(connect):
    with connect.expect_console_message(lambda message: "quote" in message.text) as heard:
        connect.evaluate(f"() => {{ {shown(connect, 'browser.js')} }}")
    assert heard.value.type == "log"


def test_a_sample_is_copied_with_this_servers_address(connect, server):
    connect.context.grant_permissions(["clipboard-read", "clipboard-write"])
    connect.locator("details.sample[open]").get_by_role("button", name="Copy").click()
    expect(connect.get_by_text("Copied")).to_be_visible()
    assert f'WS_URL = "{server.ws_url}"' in connect.evaluate("() => navigator.clipboard.readText()")


# ---- the page


def test_it_is_accessible_fits_a_phone_and_so_do_the_documents(open_page, server, session):
    with open_page(server, storage_state=session, viewport=PHONE) as page:
        for path in ("/connect", "/reference/tick_stream", "/reference/event_stream", "/reference/errors"):
            page.goto(path)
            assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"], path
            assert_accessible(page)


def test_its_links_lead_to_the_references(connect):
    connect.get_by_role("link", name="The event stream").click()
    expect(connect.get_by_role("heading", name="The event stream")).to_be_visible()
    connect.get_by_role("link", name="tick stream", exact=True).first.click()
    expect(connect.get_by_role("heading", name="The tick stream")).to_be_visible()
