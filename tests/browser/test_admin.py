"""The administrator's pages in a real browser: figures that move, and who may do what."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import assert_live, row
from tests.browser.people import given_session
from tests.journeys.clients import event_client, tick_client
from tests.journeys.harness import RELAXED, Server
from tests.journeys.prepared import prepared_env
from tests.plugins.services import ROOT, start_valkey

PHONE = {"width": 390, "height": 844}
PASSWORD = "correct horse battery staple"
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text()
PAGES = ("/admin/", "/admin/connections/", "/admin/refusals/", "/admin/market/product/1/change/")

STAFF = """
from django.contrib.auth.models import Group
from accounts.models import User
for role in ("support", "dealer"):
    user = User.objects.create_user(role, password={password!r}, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
"""


@pytest.fixture(scope="module")
def staffed(server):
    """The shared server, with somebody of each role."""
    server.manage("shell", "-c", STAFF.format(password=PASSWORD))
    return server


def log_in_as(page, name, password=PASSWORD):
    page.goto("/admin/")
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("input[type=submit]")
    page.wait_for_selector("#user-tools")


def figure(page, name):
    return page.locator(f"#{name}")


def assert_figures(page):
    """Wait until the overview is connected and has its first figures."""
    expect(page.locator("#overview-connection")).to_have_text("Live")
    expect(figure(page, "ticks")).to_contain_text(re.compile("[0-9]"))


def serious(page):
    """Return what axe-core finds serious on a page, and where."""
    page.evaluate(AXE)
    found = page.evaluate("() => axe.run(document, {preload: false})")["violations"]
    return [
        (one["id"], [node["target"] for node in one["nodes"]][:5])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


# ---- the overview


def test_the_overview_moves_and_draws(open_page, server, session):
    with open_page(server, storage_state=session) as page, event_client(server, "trading:quotes:EUR-USD"):
        page.goto("/admin/")
        assert_figures(page)
        shown = figure(page, "deliveries").inner_text()
        expect(figure(page, "deliveries")).not_to_have_text(shown)
        expect(page.locator("#process-rows tr")).to_have_count(1)
        expect(page.locator("#feed-rows tr")).to_have_count(10)
        expect(page.locator("#engine-holder")).to_contain_text("holds the engine's lease")
        before = page.locator("#trace-ticks").screenshot()
        expect(figure(page, "ticks")).not_to_have_text(figure(page, "ticks").inner_text())
        assert page.locator("#trace-ticks").screenshot() != before


def test_a_killed_server_is_said_and_the_figures_come_back(open_page, server, session):
    with open_page(server, expected=["ERR_CONNECTION"], storage_state=session) as page:
        page.goto("/admin/")
        assert_figures(page)
        server.kill()
        expect(page.locator("#overview-connection")).to_contain_text("Reconnecting")
        server.start(server.answers)
        assert_figures(page)


def test_several_processes_are_one_house_and_any_connection_can_be_ended(open_page, tmp_path):
    with ExitStack() as resources:
        layer = {"REDIS_URL": start_valkey(resources).connection_url}
        resources.enter_context(prepared_env(tmp_path))
        server = resources.enter_context(Server(tmp_path, "--workers", "2", "--feed", "none", env={**RELAXED, **layer}))
        key = server.issue_key("ann", "--scope", "market")
        clients = [resources.enter_context(tick_client(server, key.secret)) for _ in range(8)]
        page = resources.enter_context(open_page(server, storage_state=given_session(server, "admin")))
        page.goto("/admin/")
        assert_figures(page)
        expect(page.locator("#process-rows tr")).to_have_count(4)
        expect(figure(page, "connections")).to_have_text("9")
        sockets = page.locator("#process-rows tr").filter(has_text="web").locator("td:nth-child(3)").all_inner_texts()
        assert (len(sockets), sum(map(int, sockets))) == (2, 9)
        assert all(map(int, sockets)), "eight connections, and none in one of two processes"

        page.goto("/admin/connections/")
        page.get_by_label("Find").fill(key.secret[-4:])
        page.get_by_role("button", name="Show").click()
        expect(page.locator("#result_list tbody tr")).to_have_count(8)
        for checkbox in page.locator("input[name=id]").all():
            checkbox.check()
        page.get_by_role("button", name="End the selected connections").click()
        expect(page.locator(".messagelist")).to_contain_text("8 ended.")
        assert {client.closed() for client in clients} == {(4011, "ended_by_administrator")}
        expect(page.locator("#result_list")).to_contain_text("No connection matches")


# ---- roles


def test_a_dealer_halts_a_product_and_the_live_page_says_so(open_page, staffed, session):
    with open_page(staffed, storage_state=session) as live, open_page(staffed) as desk:
        live.goto("/")
        assert_live(live)
        log_in_as(desk, "dealer")
        desk.goto("/admin/market/product/?q=GBP-USD")
        desk.get_by_role("link", name="GBP-USD", exact=True).click()
        desk.get_by_role("button", name="Halt now").click()
        expect(desk.locator(".messagelist")).to_contain_text("Halt, GBP-USD: done")
        expect(desk.locator(".switch")).to_contain_text("GBP-USD is halted")
        expect(row(live, "GBP-USD").locator(".badge")).to_have_text("halted")
        desk.get_by_role("button", name="Resume trading").click()
        expect(desk.locator(".switch")).to_contain_text("GBP-USD trades")
        expect(row(live, "GBP-USD").locator(".badge")).to_have_text("")


def test_support_looks_and_ends_and_halts_nothing(open_page, staffed):
    with open_page(staffed, expected=["403"]) as page, event_client(staffed, "heartbeat") as client:
        log_in_as(page, "support")
        assert_figures(page)
        page.goto("/admin/connections/")
        expect(page.locator("#result_list tbody tr")).not_to_have_count(0)
        expect(page.get_by_role("button", name="End the selected connections")).to_have_count(0)
        refused = page.evaluate("""async () => {
            const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
            const headers = {"X-CSRFToken": token, "Content-Type": "application/x-www-form-urlencoded"};
            const asked = ["/admin/connections/", "/admin/market/product/1/halt"].map(
                (path) => fetch(path, {method: "POST", headers, body: "id=x"}));
            return (await Promise.all(asked)).map(({status}) => status);
        }""")
        assert refused == [403, 403]
        assert client.ask({"type": "ping"})["type"] == "pong"


# ---- screens and readers


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_serious_stands_in_the_way_of_anybody(open_page, server, session, scheme):
    # axe-core itself would like to set styles while it looks.
    expected = ["Applying inline style"]
    with open_page(server, expected=expected, storage_state=session, color_scheme=scheme) as page:
        found = {}
        for path in PAGES:
            page.goto(path)
            if path == "/admin/":
                assert_figures(page)
            found[path] = serious(page)
        assert found == {path: [] for path in PAGES}


def test_it_fits_a_phone(open_page, server, session):
    with open_page(server, storage_state=session, viewport=PHONE, has_touch=True) as page:
        for path in (*PAGES, "/admin/trading/position/"):
            page.goto(path)
            assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"], path
            expect(page.get_by_role("link", name="Overview", exact=True)).to_be_in_viewport(ratio=1)
        page.goto("/admin/")
        assert_figures(page)
        expect(figure(page, "lag")).to_be_in_viewport(ratio=1)


def test_screens_are_where_the_documents_look_for_them():
    text = (ROOT / "docs" / "admin.md").read_text()
    pictures = [Path(part.split(")")[0]) for part in text.split("](screenshots/")[1:]]
    assert pictures
    assert all((ROOT / "docs" / "screenshots" / picture).exists() for picture in pictures)
