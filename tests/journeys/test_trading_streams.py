"""An account's stream goes on where it was cut, and begins with a snapshot that nothing older follows; some orders end
with it.
"""

import json
import threading
import time

import pytest

from tests.journeys.harness import eventually
from tests.journeys.traders import DEMO, MARKET, PENDING, at_once

SMALL = {**MARKET, "amount": 1000}


@pytest.fixture
def trader(exchange):
    exchange.prices()
    return exchange.trader()


def known(stream, offset=None):
    """Return what a client says that it knows when it comes back."""
    standing = stream.subscribed["accounts"]["demo"]
    return {"demo": {"epoch": standing["epoch"], "offset": standing["offset"] if offset is None else offset}}


# ---- resume


def test_a_stream_that_was_cut_goes_on_with_exactly_the_missed_events(trader):
    with trader.stream() as first:
        first.trade("new", **SMALL)
        last = first.events(5)[-1]
        first.cut()
    missed = []
    for number in range(7):
        trader.done("close", id=trader.done("new", **{**SMALL, "amount": 1000 + number})["id"])
        missed += ["order_demo:new", "order_demo:activate", "position_demo:new", "balance_demo"]
        missed += ["position_demo:close", "balance_demo"]
    with trader.stream(resume=known(first, last["offset"])) as second:
        assert second.subscribed["accounts"]["demo"]["recovered"] is True
        assert second.subscribed["accounts"]["demo"]["offset"] == 5 + len(missed)
        events = second.events(len(missed))
        assert [told["event"] for told in events] == missed
        assert [told["offset"] for told in events] == list(range(6, 6 + len(missed)))
        assert [told["sequence"] for told in events] == list(range(1, 1 + len(missed)))
        second.quiet()
        second.trade("new", **SMALL)
        assert second.event()["offset"] == 6 + len(missed)


def test_only_the_channels_that_were_asked_for_are_made_up_for(trader):
    with trader.stream() as first:
        trader.done("close", id=trader.done("new", **SMALL)["id"])
    with trader.stream(DEMO[1], resume=known(first, 0)) as second:
        assert [told["event"] for told in second.events(2)] == ["position_demo:new", "position_demo:close"]
        second.quiet()


def test_trades_go_on_while_a_long_log_is_read(trader):
    """Hundreds of missed events, in pages, while new ones are made: each once, in order."""
    with trader.stream() as first:
        for _ in range(80):
            first.trade("cancel", id=first.trade("new", **PENDING)["id"])
        first.cut()
    ending = threading.Event()

    def trade_on():
        with trader.stream(DEMO[2]) as busy:
            while not ending.is_set():
                busy.trade("cancel", id=busy.trade("new", **PENDING)["id"])

    thread = threading.Thread(target=trade_on)
    thread.start()
    try:
        with trader.stream(resume=known(first, 0)) as second:
            assert second.subscribed["accounts"]["demo"]["recovered"] is True
            offsets = [told["offset"] for told in second.events(500)]
    finally:
        ending.set()
        thread.join()
    assert offsets == list(range(1, 501))


@pytest.mark.parametrize("what", ["another history", "ahead of the server"])
def test_what_cannot_be_made_up_for_is_said_and_a_snapshot_follows(trader, what):
    order = trader.done("new", **PENDING)
    with trader.stream() as first:
        truth = known(first)
        assert "recovered" not in first.subscribed["accounts"]["demo"]
    offset = truth["demo"]["offset"]
    if what == "another history":
        truth["demo"]["epoch"] = "00000000-0000-4000-8000-000000000000"
    else:
        truth["demo"]["offset"] = offset + 1
    with trader.stream(resume=truth) as second:
        assert second.subscribed["accounts"]["demo"] == {**known(first)["demo"], "recovered": False}
        snapshot = second.event()
        assert list(snapshot) == ["event", "sequence", "offset", "data"]
        assert (snapshot["event"], snapshot["offset"]) == ("snapshot_demo", offset)
        assert snapshot["data"] == {"orders": [order], "positions": [], "balances": {"BTC": "9.99666667"}}
        second.trade("cancel", id=order["id"])
        assert second.event()["offset"] == offset + 1


# ---- snapshots


def applied(data, events):
    """Return a snapshot's data as it is after these events, by the document's words alone."""
    orders, positions = ({row["id"]: row for row in data[name]} for name in ("orders", "positions"))
    balances = data["balances"]
    for told in events:
        body = told["data"]
        match told["event"].replace("_demo", ""):
            case "order:new" | "order:update":
                orders[body["id"]] = body
            case "order:cancel" | "order:activate":
                del orders[body["id"]]
            case "position:new" | "position:update":
                positions[body["id"]] = body
            case "position:close":
                del positions[body["id"]]
            case "position:split":
                del positions[body["parent_id"]]
                positions |= {part["id"]: part for part in (body["first_position"], body["second_position"])}
            case "balance":
                balances = body
    return {"orders": orders, "positions": positions, "balances": balances}


def test_a_snapshot_and_the_events_behind_it_are_what_a_later_snapshot_says(trader):
    """Snapshots are asked for while somebody trades as fast as may be."""
    ending = threading.Event()

    def trade_on():
        with trader.stream(DEMO[2]) as busy:
            while not ending.is_set():
                pending, opened = busy.trade("new", **PENDING)["id"], busy.trade("new", **SMALL)["id"]
                busy.trade("update", id=pending, price="1.24000")
                parts = busy.trade("split", id=opened, ratio="40:60")["data"]
                busy.trade("update", id=parts["first_position"]["id"], take_profit="1.30000")
                for part in parts["first_position"], parts["second_position"]:
                    busy.trade("close", id=part["id"])
                busy.trade("cancel", id=pending)

    thread = threading.Thread(target=trade_on)
    thread.start()
    try:
        streams = []
        for _ in range(8):
            stream = trader.stream(snapshot=True)
            streams.append((stream, stream.event()))
    finally:
        ending.set()
        thread.join()
    with trader.stream(snapshot=True) as last:
        end = last.event()
    for stream, start in streams:
        assert start["event"] == "snapshot_demo"
        events = stream.events(end["offset"] - start["offset"])
        assert [told["offset"] for told in events] == list(range(start["offset"] + 1, end["offset"] + 1))
        stream.quiet()
        stream.ws.close()
        assert applied(start["data"], events) == applied(end["data"], [])


def test_heartbeats_say_how_far_the_log_is_told(trader):
    with trader.stream(DEMO[0]) as stream:
        stream.trade("new", **SMALL)
        stream.event()
        beat = stream.until(event="heartbeat")
        assert beat["data"]["offset"]["demo"] == 5


# ---- what a connection takes along


def waiting(trader):
    return {row["id"] for row in trader.get("/trading/orders").data}


def test_pending_orders_end_with_a_connection_that_is_cut(trader):
    """Those that it has placed, if it has asked for that; and not those of others."""
    wish = {"type": "session", "cancelOnDisconnect": True}
    with trader.stream() as watching, trader.stream(DEMO[0]) as doomed, trader.stream(DEMO[0]) as careless:
        assert doomed.ask(wish) == wish
        kept = {trader.done("new", **PENDING)["id"], careless.trade("new", **PENDING)["id"]}
        placed = [doomed.trade("new", **PENDING)["id"] for _ in range(3)]
        filled = doomed.trade("new", **SMALL)["id"]
        assert waiting(trader) == kept | set(placed)
        watching.events(15)
        doomed.cut()
        careless.cut()
        cancelled = [told["data"]["id"] for told in watching.events(6) if told["event"] == "order_demo:cancel"]
        assert cancelled == placed
        watching.quiet()
    assert waiting(trader) == kept
    assert [row["id"] for row in trader.get("/trading/positions").data] == [filled]


def test_an_order_that_was_on_its_way_ends_with_its_connection_too(trader):
    trader.done("cancel", id=trader.done("new", **PENDING)["id"])
    doomed = trader.stream(DEMO[0])
    doomed.ask({"type": "session", "cancelOnDisconnect": True})
    for _ in range(5):
        doomed.send_trade("new", **PENDING)
    doomed.cut()
    time.sleep(0.3)  # whatever came through of it has been placed by now
    eventually(lambda: waiting(trader) == set(), within_s=3)
    log = trader.get("/trading/events").data["events"]
    names = [told["event"] for told in log]
    assert names.count("order_demo:new") == names.count("order_demo:cancel")


def test_pending_orders_outlive_a_connection_that_is_closed_in_order(trader):
    stream = trader.stream(DEMO[0])
    stream.ask({"type": "session", "cancelOnDisconnect": True})
    order = stream.trade("new", **PENDING)["id"]
    stream.ws.close(status=1000)
    other = trader.stream(DEMO[0])
    other.ask({"type": "session", "cancelOnDisconnect": True})
    other.ask({"type": "session", "cancelOnDisconnect": False})
    second = other.trade("new", **PENDING)["id"]
    other.cut()
    time.sleep(0.3)  # a cancellation would have been done by now
    assert waiting(trader) == {order, second}


def test_streams_of_one_account_all_tell_the_same(trader):
    streams = [trader.stream() for _ in range(5)]
    at_once([lambda: trader.done("new", **SMALL)] * 10)
    told = []
    for stream in streams:
        events = stream.events(41)
        told.append([json.dumps({**event, "sequence": 0}) for event in events])
        stream.ws.close()
    assert all(one == told[0] for one in told)
