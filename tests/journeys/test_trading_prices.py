"""What prices do to orders and positions; a halted product; a demo account's new beginning."""

import http.cookies
import time
from urllib.parse import urlencode

import pytest

from tests.journeys.clients import event_client
from tests.journeys.harness import Server, eventually
from tests.journeys.traders import MARKET, PASSWORD, PENDING, called

GBP = {**MARKET, "product": "GBP-USD", "amount": 1000}


@pytest.fixture
def trader(exchange):
    exchange.prices()
    return exchange.trader()


def closings(stream, count):
    """Return what the next closes say: id -> reason, price, profit and its percents; each leaves another balance."""
    closes = [told for told in stream.events(2 * count) if told["event"] == "position_demo:close"]
    return dict(map(closing, closes))


def closing(told):
    fields = ("reason", "close_price", "pnl", "pnl_percent")
    return told["data"]["id"], tuple(told["data"][name] for name in fields)


def names(events):
    return [told["event"] for told in events]


# ---- triggers


def test_quotes_take_profits_and_stop_losses(exchange, trader):
    with trader.stream() as stream:
        order = {**MARKET, "amount": 1000, "leverage": "100"}
        profit = stream.trade("new", **order, take_profit="1.26995")["id"]
        loss = stream.trade("new", **order, stop_loss="1.26500")["id"]
        short = stream.trade("new", **{**order, "side": "sell"}, take_profit="1.26500")["id"]
        stream.events(13)
        exchange.publish("1.26994", "1.26999")
        exchange.publish("1.26997", "1.27002")  # a gap over the level: at the quote, not at the level
        assert closings(stream, 1) == {profit: ("take_profit", "1.26997", "0.00285860", "28.5860")}
        exchange.publish("1.26495", "1.26500")
        assert closings(stream, 2) == {
            loss: ("stop_loss", "1.26495", "-0.00110553", "-11.0553"),
            short: ("take_profit", "1.26500", "0.00102661", "10.2661"),
        }
        stream.quiet()


def test_a_liquidated_position_loses_its_margin_and_no_more(exchange, trader):
    with trader.stream() as stream:
        order = stream.trade("new", **MARKET)
        assert order["liquidation_price"] == "1.26354"
        stream.events(5)
        exchange.publish("1.26355", "1.26360")
        exchange.publish("1.20000", "1.20005")
        assert closing(stream.event()) == (order["id"], ("liquidation", "1.20000", "-3.33333333", "-100.0000"))
        stream.quiet()  # nothing comes back, and no balance has changed
    assert trader.balance() == "6.66666667"
    exchange.publish("1.26630", "1.26635")


def test_a_pending_order_waits_for_its_price_and_fills_at_the_quote_that_reaches_it(exchange, trader):
    with trader.stream() as stream:
        limit = stream.trade("new", **PENDING)
        stop = stream.trade("new", **{**PENDING, "price": "1.27000", "client_order_id": "stop-1"})
        assert (limit["order_type"], stop["order_type"]) == ("limit", "stop")
        stream.events(5)
        exchange.publish("1.24985", "1.24990")
        activated, opened = stream.events(2)
        assert names([activated, opened]) == ["order_demo:activate", "position_demo:new"]
        assert (opened["data"]["id"], opened["data"]["price"]) == (limit["id"], "1.24990")
        exchange.publish("1.27000", "1.27005")
        opened = stream.events(2)[1]["data"]
        assert (opened["id"], opened["price"], opened["client_order_id"]) == (stop["id"], "1.27005", "stop-1")
        stream.quiet()


def test_an_order_is_cancelled_when_its_time_has_come(trader):
    with trader.stream() as stream:
        until_ms = int(time.time() * 1000) + 600
        order = stream.trade("new", **PENDING, valid_until=until_ms)
        assert order["valid_until"] == until_ms
        stream.events(3)
        cancelled = stream.event(within_s=3)
        assert time.time() * 1000 >= until_ms
        assert (cancelled["event"], cancelled["data"]["id"]) == ("order_demo:cancel", order["id"])
        assert stream.event()["data"] == {"BTC": "10.00000000"}


def test_a_halted_product_takes_no_orders_and_its_triggers_wait(exchange, trader):
    exchange.publish("1.26400", "1.26405", "GBPUSD")
    with trader.stream() as stream, event_client(exchange.server, "trading:quotes:GBP-USD") as public:
        eventually(lambda: "id" in stream.reply(id=stream.send_trade("new", **GBP)).get("data", {}))
        position = trader.done("new", **GBP, take_profit="1.26500")["id"]
        pending = trader.done("new", **{**GBP, "type": "pending", "price": "1.26000"})["id"]
        while stream.event()["data"] != {"BTC": trader.balance()}:
            pass
        assert exchange.server.manage("halt", "GBP-USD").strip() == "GBP-USD is halted."
        assert stream.refused("new", **GBP) == "halted"
        assert stream.refused("close", id=position) == "halted"
        assert trader.post("new", **GBP).status == 402
        while public.until(event="status")["data"] != {"product": "GBP-USD", "state": "halted"}:
            pass
        exchange.publish("1.26510", "1.26515", "GBPUSD")
        while public.until(event="quote")["data"][2] != "1.26510":
            pass
        stream.trade("cancel", id=pending)  # what frees money is done all the same
        assert names(stream.events(2)) == ["order_demo:cancel", "balance_demo"]
        stream.quiet()
        exchange.server.manage("resume", "GBP-USD")
        assert public.until(event="status")["data"]["state"] == "open"
        exchange.publish("1.26520", "1.26525", "GBPUSD")
        assert closings(stream, 1)[position][:2] == ("take_profit", "1.26520")


# ---- a new beginning


class Browser:
    """A browser that has logged in: a session's cookie, and the CSRF token that goes with changes."""

    def __init__(self, server: Server, name: str, password: str) -> None:
        self._server, self._cookies = server, http.cookies.SimpleCookie()
        self._call("GET", "/login")
        form = {"username": name, "password": password, "csrfmiddlewaretoken": self._cookies["csrftoken"].value}
        answer = self._call("POST", "/login", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 302, answer

    def post(self, path, *, token=True):
        return self._call("POST", path, headers={"X-CSRFToken": self._cookies["csrftoken"].value} if token else {})

    def _call(self, method, path, body="", headers=None):
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())
        answer = called(self._server, method, path, body.encode(), {"Cookie": cookies, **(headers or {})})
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self._cookies.load(value)
        return answer


def test_a_demo_account_begins_anew_when_its_owner_says_so_in_the_browser(exchange, trader):
    admin = exchange.holder("admin")
    browser = Browser(admin.server, "admin", PASSWORD)
    with admin.stream() as stream:
        stream.trade("new", **MARKET)
        stream.trade("new", **PENDING)
        stream.events(7)
        assert browser.post("/account/demo/reset", token=False).status == 403
        answer = browser.post("/account/demo/reset")
        assert (answer.status, answer.data) == (200, {"BTC": "10.00000000"})
        events = stream.events(3)
        assert names(events) == ["order_demo:cancel", "position_demo:close", "balance_demo"]
        assert (events[1]["data"]["reason"], events[2]["data"]) == ("manual", {"BTC": "10.00000000"})
        stream.quiet()
    by_key = admin.call("POST", "/account/demo/reset", {})
    assert (by_key.status, by_key.code) == (403, "scope_denied")
