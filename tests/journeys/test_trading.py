"""The event document's own trade, over the socket and over REST, byte for key; and what a trader can do wrong."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from tests.journeys.clients import Client
from tests.journeys.traders import DEMO, MARKET, PENDING, at_once, called, plain
from tests.plugins.services import ROOT
from tools.setup import node_command

# The document's objects. Only ids, times, sequence numbers and offsets differ each time (`plain`).
HEAD = (
    '{"id":"ID","product":"EUR-USD","price":"1.26635","side":"buy","leverage":"300","amount":1000000,'
    '"margin":"3.33333333","base_size":"1000","base_currency":"BTC","type":"market","liquidation_price":"1.26354",'
)
EXITS = '"take_profit":"1.28898","stop_loss":"1.26477",'
ORDER = HEAD + '"decay_rate":"0.0002","created_at":TIME}'
POSITION = HEAD + '"decay_rate":"0.0002","created_at":TIME,"opened_at":TIME}'
CLOSED = HEAD + (
    '"decay_rate":"0.0002","close_price":"1.26995","pnl":"2.84281590","pnl_percent":"85.2845","reason":"manual",'
    '"decay":"0","created_at":TIME,"opened_at":TIME,"closed_at":TIME}'
)
POSITION_UPDATED = HEAD + EXITS + '"decay_rate":"0.0002","created_at":TIME,"opened_at":TIME,"updated_at":TIME}'
# A market order is filled at once: what can be updated is a pending one, and that says so.
PENDING_HEAD = HEAD.replace('"type":"market"', '"type":"pending"')
WAITING = PENDING_HEAD + '"decay_rate":"0.0002","created_at":TIME,"order_type":"limit"}'
ORDER_UPDATED = PENDING_HEAD + EXITS + '"decay_rate":"0.0002","created_at":TIME,"updated_at":TIME,"order_type":"limit"}'
NAMED = '{"id":"ID","product":"EUR-USD"}'
EXIT_PRICES = {"take_profit": "1.28898", "stop_loss": "1.26477"}


def event(name, data):
    return f'{{"event":"{name}","sequence":N,"data":{data},"offset":N}}'


def balance(amount, name="balance_demo"):
    return event(name, f'{{"BTC":"{amount}"}}')


@pytest.fixture(params=["socket", "rest"])
def way(request):
    """Give a function that does a trade, over the socket or over REST, and returns the result's text."""

    def over_socket(trader, stream, action, **params):
        stream.trade(action, **params)
        result, told = json.loads(stream.text), plain(stream.text)
        assert told.startswith('{"type":"result","data":')
        return result["data"], told.removeprefix('{"type":"result","data":').removesuffix(',"id":N}')

    def over_rest(trader, stream, action, **params):
        answer = trader.post(action, **params)
        assert answer.status == 200, answer
        return answer.data, plain(answer.text)

    return over_socket if request.param == "socket" else over_rest


@pytest.fixture
def trader(exchange):
    """Somebody who has not traded yet; EUR-USD is bought at 1.26635."""
    exchange.prices()
    return exchange.trader()


# ---- the documents


def test_the_documents_trade(exchange, trader, way):
    with trader.stream() as stream:
        order, told = way(trader, stream, "new", **MARKET)
        assert told == ORDER
        assert stream.texts(5) == [
            balance("10.00000000"),  # the account is opened by its first order
            event("order_demo:new", ORDER),
            event("order_demo:activate", NAMED),
            event("position_demo:new", POSITION),
            balance("6.66666667"),
        ]
        exchange.prices("1.26995", "1.27000")
        assert way(trader, stream, "close", id=order["id"])[1] == CLOSED
        assert stream.texts(2) == [event("position_demo:close", CLOSED), balance("12.84281590")]
        stream.quiet()
    assert plain(trader.get("/trading/history").text) == f"[{CLOSED}]"
    assert trader.get("/trading/balances").text == '{"BTC":"12.84281590"}'


def test_a_live_account_has_the_documents_names_money_of_its_own_and_nothing_to_do_with_demo(exchange, trader):
    live = trader.live()
    with live.stream() as stream, trader.stream() as demo:
        assert "10.00000000 BTC free" in exchange.server.manage("deposit", trader.name, "10")
        assert stream.texts(2) == [balance("0.00000000", "balance"), balance("10.00000000", "balance")]
        identifier = stream.trade("new", **MARKET)["id"]
        names = [("order:new", ORDER), ("order:activate", NAMED), ("position:new", POSITION)]
        assert stream.texts(4) == [*(event(*named) for named in names), balance("6.66666667", "balance")]
        assert demo.refused("close", id=identifier) == "not_found"
        demo.quiet()
        other = demo.trade("new", **{**MARKET, "amount": 1000})["id"]
        assert [told["event"].count("_demo") for told in demo.events(5)] == [1] * 5
        assert stream.refused("close", id=other) == "not_found"
        exchange.server.manage("withdraw", trader.name, "6.66666667")
        assert stream.texts(1) == [balance("0.00000000", "balance")]
        stream.quiet()
    rows = live.get("/trading/transactions").data
    assert [(row["type"], row["amount"]) for row in rows] == [("withdraw", "6.66666667"), ("deposit", "10.00000000")]
    assert live.get("/trading/transactions/deposit").data == rows[1:]
    assert [who.get("/trading/positions").data[0]["id"] for who in (live, trader)] == [identifier, other]


def test_an_order_is_updated_and_cancelled_as_in_the_document(exchange, trader, way):
    exchange.prices("1.27000", "1.27005")
    with trader.stream() as stream:
        order, told = way(trader, stream, "new", **{**MARKET, "type": "pending", "price": "1.26635"})
        assert told == WAITING
        assert stream.texts(3) == [balance("10.00000000"), event("order_demo:new", WAITING), balance("6.66666667")]
        assert way(trader, stream, "update", id=order["id"], **EXIT_PRICES)[1] == ORDER_UPDATED
        assert stream.texts(1) == [event("order_demo:update", ORDER_UPDATED)]
        assert plain(trader.get("/trading/orders").text) == f"[{ORDER_UPDATED}]"
        assert way(trader, stream, "cancel", id=order["id"]) == ({"id": order["id"]}, '{"id":"ID"}')
        assert stream.texts(2) == [event("order_demo:cancel", NAMED), balance("10.00000000")]
        stream.quiet()


def test_a_position_is_updated_and_split_as_in_the_document(trader, way):
    with trader.stream() as stream:
        order, _ = way(trader, stream, "new", **MARKET)
        stream.events(5)
        assert way(trader, stream, "update", id=order["id"], **EXIT_PRICES)[1] == POSITION_UPDATED
        assert stream.texts(1) == [event("position_demo:update", POSITION_UPDATED)]
        split, told = way(trader, stream, "split", id=order["id"], ratio="40:60")
        parts = [
            POSITION_UPDATED.replace('"amount":1000000', f'"amount":{amount}')
            .replace('"3.33333333"', f'"{margin}"')
            .replace('"base_size":"1000"', f'"base_size":"{size}"')
            for amount, margin, size in ((400000, "1.33333334", 400), (600000, "1.99999999", 600))
        ]
        data = f'{{"parent_id":"ID","first_position":{parts[0]},"second_position":{parts[1]}}}'
        assert told == f'{{"success":true,"data":{data}}}'
        assert stream.texts(1) == [event("position_demo:split", data)]
        stream.quiet()
    assert split["data"]["parent_id"] == order["id"]
    assert {row["id"] for row in trader.get("/trading/positions").data} == {
        split["data"][name]["id"] for name in ("first_position", "second_position")
    }


def test_the_log_over_rest_is_the_streams(trader):
    with trader.stream() as stream:
        order = stream.trade("new", **MARKET)
        stream.trade("close", id=order["id"])
        told = stream.events(7)
    log = trader.get("/trading/events", after=0, limit=5).data
    assert [{**one, "sequence": number} for number, one in enumerate(log["events"], 1)] == told[:5]
    assert log["offset"] == 7
    assert trader.get("/trading/events", after=5).data["events"][0]["offset"] == 6


def test_a_result_precedes_its_orders_events_whatever_else_goes_on(trader):
    """A hundred orders on their way at once: none is met on the stream before its answer."""
    with trader.stream() as stream:
        stream.trade("cancel", id=stream.trade("new", **PENDING)["id"])
        stream.events(5)
        asked = [stream.send_trade("new", **PENDING) for _ in range(100)]
        answered: list[str] = []
        announced: list[str] = []
        while len(announced) < 100:
            message = stream.next()
            if message.get("type") == "result":
                answered.append(message["data"]["id"])
            elif message.get("event") == "order_demo:new":
                assert message["data"]["id"] in answered
                announced.append(message["data"]["id"])
        assert announced == answered
        assert len(set(answered)) == len(asked)


# ---- many at once


def test_there_is_money_for_one_of_two_hundred_orders(exchange, trader):
    assert orders_for_the_margin_of_one(trader, [trader, trader]) == {"accepted": 1, "insufficient_balance": 199}


def orders_for_the_margin_of_one(trader, places):
    """Send 200 orders at once, each for all that there is, over REST and sockets of these places; count the answers."""
    whole = {**MARKET, "amount": 3_000_000}
    streams = [place.stream(DEMO[0]) for place in places for _ in range(2)]

    def over_socket(stream):
        numbers = {stream.send_trade("new", **whole) for _ in range(25)}
        replies = [stream.reply() for _ in numbers]
        assert {reply["id"] for reply in replies} == numbers
        return [reply.get("code", "accepted") for reply in replies]

    def over_rest(place):
        answer = place.post("new", **whole)
        assert answer.status in (200, 402), answer
        return [answer.code or "accepted"]

    calls = [partial(over_socket, stream) for stream in streams]
    calls += [partial(over_rest, place) for place in places for _ in range(100 // len(places))]
    codes = [code for answers in at_once(calls) for code in answers]
    for stream in streams:
        stream.ws.close()
    assert (trader.balance(), len(trader.get("/trading/positions").data)) == ("0.00000000", 1)
    return {code: codes.count(code) for code in dict.fromkeys(sorted(codes))}


def test_fifty_posts_with_one_client_order_id_are_one_order(trader):
    named = {**MARKET, "client_order_id": "till-7"}
    answers = at_once([partial(trader.post, "new", **named)] * 50)
    assert {(answer.status, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert len(trader.get("/trading/positions").data) == 1
    other = trader.post("new", **{**named, "amount": 1})
    assert (other.status, other.code) == (409, "client_order_id_reused")
    outcome = trader.get("/trading/trade", client_order_id="till-7").data
    assert (outcome["status"], outcome["order"]) == ("open", answers[0].data)
    with trader.stream() as stream:
        assert stream.trade("new", **named) == answers[0].data


# ---- what a trader can do wrong: a coded answer, and nothing has changed

UNKNOWN = "bf2b704c-010a-48ca-93fb-d0193f24420a"
WRONG = {
    "an unknown product": ("new", {**MARKET, "product": "NO-SUCH"}, 404, "unknown_product"),
    "a side that is none": ("new", {**MARKET, "side": "hold"}, 400, "invalid_parameter"),
    "a misspelt name": ("new", {**MARKET, "stoploss": "1.2"}, 400, "invalid_parameter"),
    "a missing amount": ("new", {**MARKET, "amount": None}, 400, "invalid_parameter"),
    "an amount of nothing": ("new", {**MARKET, "amount": 0}, 400, "invalid_number"),
    "an amount that is too large": ("new", {**MARKET, "amount": 10**12}, 422, "size_out_of_bounds"),
    "too high a leverage": ("new", {**MARKET, "leverage": "301"}, 422, "leverage_not_allowed"),
    "no number": ("new", {**MARKET, "leverage": "1e2"}, 400, "invalid_number"),
    "Arabic digits": ("new", {**MARKET, "leverage": "٣٠٠"}, 400, "invalid_number"),
    "a price on a market order": ("new", {**MARKET, "price": "1.2"}, 400, "invalid_price"),
    "a price off the tick": ("new", {**PENDING, "price": "1.250001"}, 422, "price_off_tick"),
    "a limit above the market": ("new", {**PENDING, "type": "limit", "price": "1.3"}, 422, "price_wrong_side"),
    "a take profit below": ("new", {**MARKET, "take_profit": "1.2"}, 422, "invalid_take_profit"),
    "a stop loss behind the liquidation": ("new", {**MARKET, "stop_loss": "1.2"}, 422, "invalid_stop_loss"),
    "a time that is past": ("new", {**PENDING, "valid_until": 1}, 422, "valid_until_past"),
    "more than there is": ("new", {**MARKET, "leverage": "10"}, 402, "insufficient_balance"),
    "a product without a price": ("new", {**MARKET, "product": "LTC-USD", "leverage": "50"}, 402, "price_outdated"),
    "an id that is none": ("close", {"id": "7"}, 400, "invalid_parameter"),
    "nobody's position": ("close", {"id": UNKNOWN}, 404, "not_found"),
    "nobody's order": ("cancel", {"id": UNKNOWN}, 404, "not_found"),
    "a ratio that is none": ("split", {"id": UNKNOWN, "ratio": "40:61"}, 400, "invalid_parameter"),
}


def test_what_is_wrong_is_refused_in_the_same_code_over_socket_and_rest_and_changes_nothing(trader):
    with trader.stream() as stream:
        stream.trade("cancel", id=stream.trade("new", **PENDING)["id"])
        stream.events(5)
        for what, (action, params, status, code) in WRONG.items():
            assert stream.refused(action, **params) == code, what
            answer = trader.post(action, **params)
            assert (answer.status, answer.code) == (status, code), what
        assert stream.refused("dance", **MARKET) == "invalid_message"
        stream.quiet()
    assert trader.get("/trading/events").data["offset"] == 5


def test_junk_in_a_trade_message_is_one_coded_error(trader):
    with trader.stream() as stream:
        for text in (
            '{"type":"trade","action":"new"}',
            '{"type":"trade","action":"new","params":[]}',
            '{"type":"trade","action":"new","params":{},"demo":"yes"}',
            '{"type":"session"}',
            '{"type":"session","cancelOnDisconnect":1}',
        ):
            assert stream.ask(text)["code"] == "invalid_message", text
        junk = "x" * 60_000
        assert stream.refused("new", **{**MARKET, "client_order_id": junk}) == "invalid_parameter"
        assert stream.refused("new", **{**MARKET, junk: junk[:100]}) == "invalid_parameter"
        answer = trader.post("new", **{**MARKET, "product": junk})
        assert (answer.status, answer.code) == (404, "unknown_product")
        assert len(answer.text) < 500
        stream.quiet()


def test_another_accounts_trades_are_not_found(exchange, trader):
    other, live = exchange.trader(), trader.live()
    position, pending = trader.done("new", **MARKET)["id"], trader.done("new", **PENDING)["id"]
    other.done("new", **MARKET)
    offset = trader.get("/trading/events").data["offset"]
    for who in (other, live):
        with who.stream() as stream:
            for identifier in (position, pending):
                for action, more in (
                    ("cancel", {}), ("close", {}), ("update", {"stop_loss": "1.26500"}), ("split", {"ratio": "40:60"}),
                ):  # fmt: skip
                    assert stream.refused(action, id=identifier, **more) == "not_found"
                    answer = who.post(action, id=identifier, **more)
                    assert (answer.status, answer.code) == (404, "not_found")
                assert who.get("/trading/trade", id=identifier).status == 404
    assert trader.get("/trading/events").data["offset"] == offset


def test_a_key_trades_only_with_the_scope_and_where_it_may(exchange):
    for name, demo, code in (("reader", True, "scope_denied"), ("demo-only", False, "environment_denied")):
        answer = replace(exchange.holder(name), demo=demo).post("new", **MARKET)
        assert (answer.status, answer.code) == (403, code)
        with exchange.holder(name).stream() as stream:
            stream.demo = demo
            assert stream.refused("new", **MARKET) == code
    for path in ("/trading/orders", "/trading/balances", "/trading/account"):
        assert called(exchange.server, "GET", path).status == 401
    with Client(exchange.server.ws_url + "/ws/events") as stranger:
        stranger.ask({"type": "subscribe", "channels": ["heartbeat"]})
        reply = stranger.ask({"type": "trade", "action": "new", "demo": True, "params": MARKET})
        assert reply["code"] == "authentication_required"


def test_many_traders_at_once_do_not_disturb_one_another(exchange, trader):
    """Eight accounts trade over REST and sockets at the same time; each sees its own events only, all of them."""
    traders = [exchange.trader() for _ in range(8)]

    def trade(who):
        with who.stream() as stream:
            for _ in range(5):
                stream.trade("close", id=who.done("new", **{**MARKET, "amount": 1000})["id"])
            return [told["offset"] for told in stream.events(31)]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(trade, traders)) == [list(range(1, 32))] * 8


# ---- another language

NODE = """
const {WebSocket} = require("ws"), {createHmac} = require("crypto");
const [url, key, secret] = process.argv.slice(2), timestamp = Date.now();
const sig = createHmac("sha256", secret).update(timestamp + "GET" + "/ws-auth").digest("base64");
const socket = new WebSocket(url);
socket.on("open", () => socket.send(JSON.stringify({
  type: "subscribe", channels: ["trading:positions_demo"], auth: {key, sig, timestamp},
})));
socket.on("message", (text) => {
  const message = JSON.parse(text);
  console.log(message.type || message.event);
  if (message.type === "subscribed") {
    const params = {product: "EUR-USD", side: "buy", type: "market", leverage: 300, amount: 1000};
    socket.send(JSON.stringify({type: "trade", action: "new", demo: true, params}));
  }
  if (message.event) socket.close(1000);
});
"""


def test_a_client_in_node_trades(exchange, trader, tmp_path):
    (tmp_path / "trade.cjs").write_text(NODE)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    command = [*node_command(), "trade.cjs", exchange.server.ws_url, trader.key.id, trader.key.secret]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=20, check=True)
    assert ended.stdout.split() == ["welcome", "subscribed", "result", "position_demo:new"]
