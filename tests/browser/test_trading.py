"""Trading on the dashboard, in a real browser, against a real server whose prices are the test's own."""

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Traffic, assert_live, row
from tests.journeys.harness import RELAXED, Server
from tests.journeys.prepared import prepared_env
from tests.journeys.traders import ASK, BID, MARKET, PASSWORD, PENDING, SETTINGS, Exchange
from tests.plugins.services import ROOT

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
FIRST_LOAD_MAX_BYTES = 150_000
STALE_WITHIN_MS = 10_000
OpenDashboard = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """A server whose prices the tests publish; the administrator trades on the page and with a key."""
    folder = tmp_path_factory.mktemp("market")
    with prepared_env(folder), Server(folder, "--feed", "none", env=SETTINGS) as server:
        exchange = Exchange(server, accounts=1)
        exchange.prices()
        yield exchange
        server.manage("verify_ledger")
        assert "Traceback" not in server.log()


@pytest.fixture(scope="module")
def cookies(open_page, market):
    """The cookies of one log-in: log-ins are limited."""
    with open_page(market.server) as page:
        log_in(page)
        return page.context.storage_state()


@pytest.fixture
def dashboard(open_page, market, cookies) -> OpenDashboard:
    """Open the dashboard of the administrator in a browser of its own: `with dashboard(viewport=…) as page`."""

    @contextmanager
    def opened(**options):
        with open_page(market.server, storage_state=cookies, **options) as page:
            page.goto("/")
            assert_live(page)
            expect(page.locator("#strip-balance")).to_contain_text(".")
            yield page

    return opened


@pytest.fixture
def me(market):
    """The administrator as a program: a key of the same accounts, which are empty before and after each test."""
    trader = market.holder("admin")
    tidy(trader)
    yield trader
    tidy(trader)
    market.prices(BID, ASK)


def tidy(trader):
    for position in trader.get("/trading/positions").data:
        trader.done("close", id=position["id"])
    for order in trader.get("/trading/orders").data:
        trader.done("cancel", id=order["id"])


def log_in(page, password=PASSWORD):
    page.goto("/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    assert_live(page)


def place(page, size="1000000", **fields):
    """Fill in the ticket and send it."""
    page.locator("#ticket-size").fill(size)
    for name, text in fields.items():
        page.locator(f"#ticket-{name}").fill(text)
    page.locator("#ticket-send").click()


def positions(page):
    return page.locator("#positions-rows tr")


def press(page, name, index=0):
    """Press the button of a row."""
    page.locator(f'#positions-rows [data-action="{name}"]').nth(index).click()


def below(upper, lower):
    """Tell whether an element begins where another one has ended."""
    return lower.bounding_box()["y"] >= upper.bounding_box()["y"] + upper.bounding_box()["height"]


def assert_whole(outer, inner):
    """Assert that all of an element is to be seen within another one, and its text is not cut."""
    it = outer.locator(inner)
    box, around = it.bounding_box(), it.locator("xpath=..").bounding_box()
    assert around["x"] <= box["x"]
    assert box["x"] + box["width"] <= around["x"] + around["width"]
    assert around["y"] <= box["y"]
    assert box["y"] + box["height"] <= around["y"] + around["height"]
    assert it.evaluate("(it) => it.scrollWidth <= it.clientWidth")


def tab(page, name):
    page.get_by_role("tab", name=name).click()


def cell(page, name, index=0):
    return positions(page).nth(index).locator(f".{name}")


def told(page, text):
    return page.locator("#notices .toast").filter(has_text=text)


def plus(text):
    """Return a figure as the page shows it: with its sign."""
    return f"\N{MINUS SIGN}{text[1:]}" if text.startswith("-") else f"+{text}"


def assert_same_money(page, trader):
    """Assert that the page and REST agree about the account, to the last digit."""
    account = trader.get("/trading/account").data
    expect(page.locator("#strip-balance")).to_have_text(account["balance"])
    expect(page.locator("#strip-margin")).to_have_text(account["margin_used"])
    expect(page.locator("#strip-equity")).to_have_text(account["equity"])
    pnl = account["unrealised_pnl"]
    expect(page.locator("#strip-pnl")).to_have_text(pnl if not pnl.strip("0.") else plus(pnl))


# ---- a trade


def test_a_trade_from_the_ticket_to_the_history_agrees_with_rest_to_the_last_digit(dashboard, market, me):
    with dashboard() as page:
        place(page, leverage="300")
        expect(told(page, f"Bought 1000 BTC of EUR-USD at {ASK}")).to_be_visible()
        notices = page.locator("#notices").bounding_box()
        assert notices["x"] + notices["width"] <= page.locator("#screen-trade").bounding_box()["x"]
        expect(cell(page, "entry")).to_have_text(ASK)
        expect(cell(page, "liquidation")).to_have_text("1.26354")
        assert_same_money(page, me)

        market.prices("1.26995", "1.27000")
        expect(cell(page, "pnl")).to_have_text("+2.84281590")
        expect(cell(page, "percent")).to_have_text("+85.28 %")
        assert_same_money(page, me)

        press(page, "edit")
        page.locator("#edit-takeProfit").fill("1.28898")
        page.locator("#edit-send").click()
        expect(cell(page, "profit")).to_have_text("1.28898")

        press(page, "split")
        page.locator("#split-ratio").fill("40")
        expect(page.locator("#split-words")).to_contain_text("400 BTC with a margin of 1.33333334")
        page.locator("#split-send").click()
        expect(positions(page)).to_have_count(2)
        assert_same_money(page, me)

        press(page, "close")
        expect(page.locator("#end-words")).to_contain_text("At the market, now 1.26995")
        page.get_by_role("button", name="Close the position").click()
        expect(positions(page)).to_have_count(1)
        assert_same_money(page, me)

        newest = me.get("/trading/history", limit=1).data[0]
        tab(page, "History")
        closed = page.locator("#history-rows tr").first
        expect(closed.locator(".pnl")).to_have_text(plus(newest["pnl"]))
        expect(closed.locator(".exit")).to_have_text(newest["close_price"])
        expect(page.locator("#history-total")).to_contain_text("with a profit")

        tab(page, "Events")
        log = me.get("/trading/events", after=0, limit=100).data
        expect(page.locator("#events-rows .offset").first).to_have_text(str(log["offset"]))


def test_what_the_ticket_shows_before_is_what_comes_of_it(dashboard, me):
    with dashboard() as page:
        page.locator("#ticket-size").fill("12345")
        page.locator("#ticket-leverage").fill("77")
        page.locator("#ticket-side-sell + span").click()
        expect(page.locator("#ticket-words")).to_have_text("Sell 12.345 BTC EUR-USD")
        shown = {
            name: page.locator(f"#preview-{name}").inner_text() for name in ("margin", "liquidation", "free", "cost")
        }
        page.locator("#ticket-send").click()
        expect(positions(page)).to_have_count(1)
        position = me.get("/trading/positions").data[0]
        assert (position["margin"], position["liquidation_price"]) == (shown["margin"], shown["liquidation"])
        assert me.balance() == shown["free"]
        expect(cell(page, "pnl")).to_have_text(shown["cost"])


def test_a_pending_order_is_placed_changed_and_cancelled(dashboard, market, me):
    with dashboard() as page:
        page.keyboard.press("l")
        place(page, "1000", price="1.25", stopLoss="1.24800", leverage="300")
        tab(page, "Orders")
        order = page.locator("#orders-rows tr")
        expect(order.locator(".entry")).to_have_text("1.25000")
        assert_same_money(page, me)
        order.get_by_role("button", name="Edit").click()
        page.locator("#edit-price").fill("1.26")
        expect(page.locator("#edit-stopLoss-problem")).to_contain_text("Between the price 1.26000")
        page.locator("#edit-stopLoss").fill("")
        page.locator("#edit-send").click()
        expect(order.locator(".entry")).to_have_text("1.26000")
        order.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Cancel the order").click()
        expect(order).to_have_count(0)
        expect(told(page, "Order cancelled: EUR-USD")).to_be_visible()
        assert_same_money(page, me)


def test_what_would_be_refused_is_said_at_its_field_and_not_sent(dashboard, me):
    with dashboard() as page:
        place(page, "2900000", stopLoss="1.3")
        expect(page.locator("#ticket-stopLoss-problem")).to_contain_text("Between the price")
        expect(page.locator("#ticket-stopLoss")).to_be_focused()
        place(page, "9000000", stopLoss="")
        expect(page.locator("#ticket-size-problem")).to_contain_text(f"more than is free: {me.balance()} BTC")
        assert me.get("/trading/positions").data == []


def test_a_halted_product_is_said_to_be_until_it_trades_again(dashboard, market, me):
    with dashboard() as page:
        expect(page.locator("#ticket-send")).to_be_enabled()
        market.server.manage("halt", "EUR-USD")
        expect(page.locator("#ticket-blocked")).to_have_text("Trading in EUR-USD is halted.")
        market.server.manage("resume", "EUR-USD")
        expect(page.locator("#ticket-send")).to_be_enabled()


def test_live_money_is_another_account_and_nobody_overlooks_it(dashboard, me):
    with dashboard() as page:
        me.done("new", **PENDING)
        expect(page.locator("#orders-count")).to_have_text("1")
        frame = "getComputedStyle(document.body, '::after').borderTopColor"
        demo = page.evaluate(frame)
        page.locator("#environment-live + span").click()
        expect(page.locator("#ticket-environment")).to_have_text("Live")
        expect(page.locator("#strip-environment")).to_have_text("Live")
        expect(page.locator("#orders-count")).to_have_text("")
        assert page.evaluate(frame) != demo
        assert_same_money(page, me.live())
        expect(page.locator("#ticket-size-problem")).to_contain_text("more than is free: 0.00000000 BTC")
        page.reload()
        assert_live(page)
        expect(page.locator("#strip-environment")).to_have_text("Live")


# ---- the same for all


def test_two_browsers_and_a_program_see_the_same_events(dashboard, me):
    with me.stream() as stream, dashboard() as one, dashboard() as other:
        place(one, "1000")
        names = [stream.event()["event"] for _ in range(4)]
        assert names == ["order_demo:new", "order_demo:activate", "position_demo:new", "balance_demo"]
        for page in (one, other):
            expect(told(page, "Bought 1 BTC of EUR-USD")).to_be_visible()
            expect(positions(page)).to_have_count(1)
            assert_same_money(page, me)
        stream.trade("new", **{**MARKET, "amount": 2000})
        logs = []
        for page in (one, other):
            expect(positions(page)).to_have_count(2)
            tab(page, "Events")
            expect(page.locator("#events-rows .event").first).to_have_text("balance")
            logs.append(page.locator("#events-rows tr").all_inner_texts())
        assert logs[0] == logs[1]


def test_favourites_are_the_users_and_not_the_browsers(dashboard):
    with dashboard() as one:
        row(one, "BTC-USD").locator(".star").click()
        expect(one.locator("#watch tbody").first.locator("[data-product]")).to_have_count(1)
    with dashboard() as other:
        expect(row(other, "BTC-USD").locator(".star")).to_have_attribute("aria-pressed", "true")
        row(other, "BTC-USD").click()
        other.keyboard.press("f")
        expect(row(other, "BTC-USD").locator(".star")).to_have_attribute("aria-pressed", "false")


# ---- when something breaks


def test_a_page_whose_server_was_killed_resumes_and_has_missed_nothing(dashboard, market, me):
    expected = ["ERR_CONNECTION", "ERR_INTERNET"]
    with dashboard(expected=expected) as page:
        place(page, "1000")
        expect(positions(page)).to_have_count(1)
        page.context.set_offline(True)
        market.server.kill()
        expect(page.locator("#connection-text")).to_contain_text("Reconnecting")
        expect(page.locator("#ticket-blocked")).to_contain_text("Not connected")
        expect(page.locator("#ticket-send")).to_be_disabled()
        market.server.start(market.server.answers)
        market.prices()
        me.done("new", **{**MARKET, "amount": 3000})
        me.done("close", id=me.get("/trading/positions").data[-1]["id"])
        page.context.set_offline(False)
        expect(page.locator("#connection-text")).to_have_text("Live")
        expect(told(page, "The demo account: 6 missed events have been read.")).to_be_visible()
        expect(told(page, "The live account missed nothing.")).to_be_visible()
        expect(positions(page)).to_have_count(1)
        expect(cell(page, "size")).to_have_text("3")
        assert_same_money(page, me)
        tab(page, "Events")
        offsets = [int(text) for text in page.locator("#events-rows .offset").all_inner_texts()]
        assert offsets == list(range(offsets[0], offsets[0] - len(offsets), -1))
        expect(page.locator("#ticket-send")).to_be_enabled()


def test_a_feed_that_has_stopped_is_said_to_be_stale_and_nothing_is_sent(open_page, tmp_path):
    env = {**RELAXED, "STALE_AFTER_S": "5"}
    with prepared_env(tmp_path), Server(tmp_path, "--feed", "none", env=env) as server:
        exchange = Exchange(server, accounts=1)
        exchange.publish(BID, ASK)
        with open_page(server) as page:
            log_in(page)
            exchange.publish(BID, "1.26636")
            expect(page.locator("#ticket-send")).to_be_enabled()
            expect(page.locator("#chosen-state")).to_have_text("stale", timeout=STALE_WITHIN_MS)
            expect(page.locator("#ticket-blocked")).to_contain_text("The price of EUR-USD is old")
            for size in (WIDE, PHONE):
                page.set_viewport_size(size)
                assert_whole(row(page, "EUR-USD"), ".badge")
                assert_whole(row(page, "XAU-USD"), ".badge")
            page.set_viewport_size(WIDE)
            expect(page.locator("#ticket-send")).to_be_disabled()
            exchange.publish(BID, ASK)
            expect(page.locator("#ticket-send")).to_be_enabled()


# ---- for everybody


def findings(page):
    """Return what axe-core finds serious on a page."""
    page.evaluate(AXE.read_text())
    result = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    serious = [found for found in result["violations"] if found["impact"] in ("serious", "critical")]
    return [(found["id"], [node["html"] for node in found["nodes"]][:3]) for found in serious]


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious(dashboard, me, scheme):
    me.done("new", **{**MARKET, "amount": 1000})
    me.done("new", **PENDING)
    with dashboard(color_scheme=scheme) as page:
        expect(positions(page)).to_have_count(1)
        assert findings(page) == []
        for name in ("Orders", "History", "Events"):
            tab(page, name)
            assert findings(page) == [], name
        tab(page, "Positions")
        page.locator("#environment-live + span").click()
        assert findings(page) == []
        page.locator("#environment-demo + span").click()
        for action, dialog in (("edit", "edit"), ("split", "split"), ("close", "end")):
            press(page, action)
            assert findings(page) == [], action
            page.locator(f"#{dialog}-dismiss").click()
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        assert findings(page) == []


def test_it_works_on_a_phone(dashboard, me):
    with dashboard(viewport=PHONE, has_touch=True) as page:
        page.get_by_role("tab", name="Trade").tap()
        place(page, "1000")
        page.get_by_role("tab", name="Account").tap()
        expect(positions(page)).to_have_count(1)
        page.get_by_role("tab", name="Market").tap()
        assert below(page.locator("#legend"), page.locator("#chart"))
        page.get_by_role("tab", name="Account").tap()
        press(page, "close")
        page.get_by_role("button", name="Close the position").tap()
        expect(positions(page)).to_have_count(0)
        for name in ("History", "Events"):
            tab(page, name)
            assert page.locator(f"#{name.lower()}").evaluate("(it) => it.scrollWidth <= it.clientWidth"), name
        for name in ("Market", "Trade", "Account"):
            page.get_by_role("tab", name=name).tap()
            assert page.evaluate("() => document.documentElement.scrollWidth") == PHONE["width"], name
            assert findings(page) == [], name


def test_the_keyboard_is_enough_for_a_trade(dashboard, me):
    with dashboard() as page:
        page.keyboard.press("?")
        expect(page.get_by_role("heading", name="Keys")).to_be_visible()
        page.keyboard.press("b")
        expect(page.locator("#ticket-size")).not_to_be_focused()
        page.keyboard.press("Escape")
        page.keyboard.press("s")
        expect(page.locator("#ticket-size")).to_be_focused()
        page.keyboard.press("Control+a")
        page.keyboard.type("5000")
        page.keyboard.press("Enter")
        expect(cell(page, "side")).to_have_text("Short")
        expect(cell(page, "size")).to_have_text("5")


def test_the_first_load_is_small(open_page, market, cookies):
    with open_page(market.server, storage_state=cookies) as page:
        traffic = Traffic(page)
        page.goto("/")
        assert_live(page)
        assert 50_000 < traffic.of("Document", "Script", "Stylesheet", "Image") < FIRST_LOAD_MAX_BYTES, traffic.bodies


def test_axe_is_installed():
    assert Path(AXE).stat().st_size > 100_000
