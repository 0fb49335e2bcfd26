"""A user's own pages in a real browser: second factor, mailed password, keys, sessions, demo account."""

import re
import subprocess
import sys
import time
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.accounts.callers import totp
from tests.browser.axe import assert_accessible
from tests.browser.conftest import assert_live
from tests.browser.people import PASSWORD, given_session, given_user
from tests.journeys.harness import eventually

PHONE = {"width": 390, "height": 844}
PAGES = ("/account/profile", "/account/email", "/account/two-factor", "/keys/", "/account/sessions", "/account/demo")


def log_in(page, name, path="/account/profile"):
    page.goto(path)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def type_code(page, code, button="Go on"):
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name=button).click()


# ---- second factor


def test_the_whole_life_of_a_second_factor(open_page, server):
    given_user(server, "bea", staff=True)
    with open_page(server, storage_state=given_session(server, "bea")) as page:
        page.goto("/account/two-factor")
        page.get_by_role("link", name="Add an authenticator app").click()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        secret = page.locator("#totp-secret").inner_text()
        assert_accessible(page)
        page.get_by_label("Authenticator code").fill("000000")
        page.get_by_role("button", name="Turn two-factor on").click()
        expect(page.get_by_text("Incorrect code")).to_be_visible()
        secret = page.locator("#totp-secret").inner_text()
        page.get_by_label("Authenticator code").fill(totp(secret))
        page.get_by_role("button", name="Turn two-factor on").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        assert_accessible(page)
        recovery = page.locator("#codes code").all_inner_texts()
        assert len(recovery) == 10
    with open_page(server) as page:
        log_in(page, "bea", "/admin/")
        expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
        assert_accessible(page)
        page.goto("/admin/")
        expect(page).to_have_url(re.compile("/login"))
        page.goto("/login/code")
        type_code(page, "000000")
        expect(page.get_by_text("Incorrect code")).to_be_visible()
        type_code(page, totp(secret, steps=1))
        page.goto("/admin/")
        expect(page.locator("#user-tools")).to_contain_text(re.compile("bea", re.IGNORECASE))
    with open_page(server) as page:
        log_in(page, "bea")
        type_code(page, recovery[0])
        expect(page.get_by_role("heading", name="Profile")).to_be_visible()
        page.get_by_role("link", name="Two-factor").click()
        expect(page.get_by_text("9 left")).to_be_visible()
        page.get_by_role("link", name="Remove the app").click()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Remove it").click()
        expect(page.get_by_text("Two-factor log-in is off.")).to_be_visible()


# ---- a forgotten password


def test_a_forgotten_password_is_set_by_the_mailed_link(open_page, server):
    given_user(server, "cleo", email="cleo@example.com")
    with open_page(server) as page:
        page.goto("/login")
        page.get_by_role("link", name="Forgot your password?").click()
        assert_accessible(page)
        page.get_by_label("Email").fill("cleo@example.com")
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
        link = re.compile(rf"{server.url}/password/reset/\S+")
        eventually(lambda: link.search(server.log()))
        (address,) = set(link.findall(server.log()))
        page.goto(address)
        assert_accessible(page)
        page.get_by_label("New Password", exact=True).fill("battery horse correct")
        page.get_by_label("New Password (again)").fill("battery horse correct")
        page.get_by_role("button", name="Set the password").click()
        page.get_by_role("link", name="Log in").click()
        page.get_by_label("Name").fill("cleo")
        page.get_by_label("Password").fill("battery horse correct")
        page.get_by_role("button", name="Log in").click()
        assert_live(page)


# ---- keys


@contextmanager
def tick_sample(page, secret, folder):
    """Run the tick document's sample, as the Connect page shows it, with a key; give it when it streams."""
    page.goto("/connect")
    code = page.locator('[data-file="tick_stream.py"]').text_content().replace("tk_demo_…", secret)
    log = folder / "sample.txt"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-u", "-c", code], cwd=folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
        try:
            eventually(lambda: "EURUSD " in log.read_text() or child.poll() is not None)
            assert child.poll() is None, log.read_text()
            yield child
        finally:
            child.kill()
            child.wait()


def assert_ends_within_a_second(child):
    started_s = time.monotonic()
    child.wait(timeout=10)
    assert time.monotonic() - started_s < 1


def test_a_key_of_ones_own_page_streams_until_it_is_revoked_there(open_page, server, tmp_path):
    given_user(server, "dora")
    with open_page(server, storage_state=given_session(server, "dora"), viewport=PHONE) as page:
        page.goto("/keys/")
        expect(page.get_by_text("You have no keys yet")).to_be_visible()
        page.get_by_label("Label").fill("till-7")
        page.get_by_role("button", name="Issue the key").click()
        secret = page.locator("#secret").inner_text()
        assert secret.startswith("tk_live_")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy the secret").click()
        expect(page.get_by_text("Copied")).to_be_visible()
        assert page.evaluate("() => navigator.clipboard.readText()") == secret
        assert_accessible(page)
        with tick_sample(page, secret, tmp_path) as sample:
            page.goto("/keys/")
            assert secret not in page.content()
            expect(page.get_by_text("127.0.0.1")).to_be_visible()
            page.get_by_role("button", name="Revoke", exact=True).click()
            assert_accessible(page)
            page.get_by_role("button", name="Revoke it").click()
            expect(page.get_by_text("its sockets are being closed")).to_be_visible()
            assert_ends_within_a_second(sample)
        expect(page.get_by_text("revoked", exact=True)).to_be_visible()


def test_a_key_of_the_administrators_pages_too(open_page, server, session, tmp_path):
    with open_page(server, storage_state=session) as page:
        page.goto("/admin/accounts/apikey/add/")
        page.locator(".field-user .select2-selection").click()
        page.locator(".select2-search__field").fill("demo")
        page.get_by_role("option", name="demo", exact=True).click()
        page.locator("#id_label").fill("issued by an administrator")
        page.locator("input[name=_save]").click()
        secret = page.locator("#secret").inner_text()
        with tick_sample(page, secret, tmp_path) as sample:
            page.goto("/admin/accounts/apikey/")
            assert secret not in page.content()
            page.get_by_role("link", name="issued by an administrator").click()
            page.get_by_role("button", name="Revoke for good").click()
            expect(page.get_by_text("is revoked.")).to_be_visible()
            assert_ends_within_a_second(sample)


def test_rotating_asks_first_and_shows_a_new_secret(open_page, server):
    given_user(server, "edda")
    with open_page(server, storage_state=given_session(server, "edda")) as page:
        page.goto("/keys/")
        page.get_by_label("Label").fill("till-7")
        page.get_by_role("button", name="Issue the key").click()
        first = page.locator("#secret").inner_text()
        page.get_by_role("link", name="Back to the keys").click()
        page.get_by_role("button", name="Rotate").click()
        page.get_by_role("button", name="Leave it").click()
        expect(page.get_by_role("button", name="Make a new secret")).to_be_hidden()
        page.get_by_role("button", name="Rotate").click()
        page.get_by_role("button", name="Make a new secret").click()
        assert page.locator("#secret").inner_text() not in ("", first)


# ---- sessions and the demo account


def test_logging_out_elsewhere_ends_the_other_browsers_page_and_socket(open_page, server):
    given_user(server, "fia")
    with (
        open_page(server, storage_state=given_session(server, "fia")) as other,
        open_page(server, storage_state=given_session(server, "fia")) as here,
    ):
        other.goto("/")
        assert_live(other)
        here.goto("/account/sessions")
        expect(here.get_by_text("this one")).to_be_visible()
        here.get_by_role("main").get_by_role("button", name="Log out", exact=True).click()
        expect(here.get_by_text("Logged out:")).to_be_visible()
        told_s = time.monotonic()
        expect(other.locator("#connection-text")).to_have_text("Logged out")
        assert time.monotonic() - told_s < 1
        other.goto("/account/profile")
        expect(other.get_by_label("Password")).to_be_visible()
        here.goto("/account/profile")
        expect(here.get_by_role("heading", name="Profile")).to_be_visible()


def test_the_demo_account_is_reset_after_a_question(open_page, server):
    given_user(server, "gus")
    with open_page(server, storage_state=given_session(server, "gus")) as page:
        page.goto("/account/demo")
        page.get_by_role("button", name="Reset the demo account").click()
        assert_accessible(page)
        page.get_by_role("button", name="Reset it").click()
        expect(page.get_by_text("Done. The demo account has 10.00000000 BTC again.")).to_be_visible()


# ---- every page


def test_every_page_is_accessible_and_fits_a_phone(open_page, server):
    given_user(server, "hel")
    with open_page(server, storage_state=given_session(server, "hel"), viewport=PHONE) as page:
        for path in PAGES:
            page.goto(path)
            assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"], path
            assert_accessible(page)
    with open_page(server, viewport=PHONE) as page:
        for path in ("/login", "/password/reset", "/password/reset/sent", "/password/reset/done", "/signup"):
            page.goto(path)
            assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"], path
            assert_accessible(page)
