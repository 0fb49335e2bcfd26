"""Two engines on real PostgreSQL and Valkey: one works, the other takes over; two web processes ask whichever it is."""

import os
import re
import signal
import time
from collections.abc import Callable
from functools import partial

import psycopg
import pytest

from tests.journeys.harness import Process, eventually
from tests.journeys.test_trading import orders_for_the_margin_of_one
from tests.journeys.traders import MARKET, PENDING, Exchange, Trader, at_once

pytestmark = pytest.mark.cluster

SMALL = {**MARKET, "amount": 1000}
WORKS = re.compile(r"The engine works: fence (\d+)")


class Pair:
    """A cluster with a working engine and a standby, two web processes, and prices that are the test's own."""

    def __init__(self, exchange: Exchange) -> None:
        assert exchange.cluster is not None
        self.cluster = exchange.cluster
        self.exchange = exchange

    def trader(self) -> Trader:
        return self.exchange.trader()

    def places(self, trader: Trader) -> list[Trader]:
        """Return a trader at each of the web processes."""
        return [trader.at(web) for web in self.cluster.webs]

    @property
    def working(self) -> Process:
        """The engine that took the lease last."""
        return max(self.cluster.engines, key=fence_of)

    @property
    def standing_by(self) -> Process:
        (other,) = [engine for engine in self.cluster.engines if engine is not self.working]
        return other

    def fence(self) -> int:
        """Return the fence of the lease, as the database has it."""
        with psycopg.connect(self.cluster.webs[0].env["DATABASE_URL"]) as connection:
            found = connection.execute("SELECT fence FROM trading_enginelease").fetchone()
        assert found is not None
        return int(found[0])


def fence_of(engine: Process) -> int:
    """Return the newest fence with which an engine has worked; 0 for one that has only stood by."""
    fences = WORKS.findall(engine.log())
    return int(fences[-1]) if fences else 0


@pytest.fixture
def pair(exchange):
    """The exchange at the document's prices; an engine that a test has ended stands by afterwards."""
    exchange.prices()
    running = Pair(exchange)
    yield running
    for engine in running.cluster.engines:
        if not engine.running:
            revive(engine)


def revive(engine: Process) -> None:
    starts = engine.log().count("The engine is running")
    engine.start(lambda: engine.log().count("The engine is running") > starts)


def seconds_until(true: Callable[[], object], within_s: float = 15) -> float:
    began_s = time.monotonic()
    while not true():
        assert time.monotonic() - began_s < within_s
    return time.monotonic() - began_s


def accepted(trader: Trader) -> bool:
    return trader.post("new", **{**MARKET, "amount": 1}).status == 200


def assert_dense(trader: Trader) -> None:
    """Assert that the account's log has every offset once, and says the same at every web process."""
    log = trader.get("/trading/events", limit=100).data
    assert [told["offset"] for told in log["events"]] == list(range(1, min(log["offset"], 100) + 1))


# ---- two web processes


def test_one_engine_works_and_the_other_stands_by(pair):
    assert sorted(fence_of(engine) > 0 for engine in pair.cluster.engines) == [False, True]
    assert "stands by" in pair.standing_by.log()
    assert pair.fence() == fence_of(pair.working)


def test_there_is_money_for_one_of_two_hundred_orders_over_two_web_processes(pair):
    trader = pair.trader()
    codes = orders_for_the_margin_of_one(trader, pair.places(trader))
    assert codes == {"accepted": 1, "insufficient_balance": 199}


def test_fifty_posts_of_one_order_to_two_web_processes_are_one_order(pair):
    first, second = pair.places(pair.trader())
    named = {**MARKET, "client_order_id": "till-7"}
    answers = at_once([partial(place.post, "new", **named) for place in (first, second) for _ in range(25)])
    assert {(answer.status, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert len(first.get("/trading/positions").data) == 1
    assert second.post("new", **{**named, "amount": 1}).code == "client_order_id_reused"


def test_what_is_traded_in_one_web_process_is_told_in_the_other(pair):
    first, second = pair.places(pair.trader())
    with first.stream() as here, second.stream() as there:
        order = here.trade("new", **SMALL)
        there.trade("close", id=order["id"])
        assert [told["event"] for told in here.events(7)] == [told["event"] for told in there.events(7)]
        # An announcement is quicker than the poll that makes up for a lost one.
        took_s = []
        for _ in range(5):
            began_s = time.monotonic()
            here.trade("cancel", id=here.trade("new", **PENDING)["id"])
            there.events(4)
            took_s.append(time.monotonic() - began_s)
        assert min(took_s) < 0.15


def test_a_stream_goes_on_in_another_web_process(pair):
    first, second = pair.places(pair.trader())
    with first.stream() as stream:
        stream.trade("new", **SMALL)
        known = {"demo": {**stream.subscribed["accounts"]["demo"], "offset": stream.events(5)[-1]["offset"]}}
        stream.cut()
    for _ in range(4):
        first.done("cancel", id=second.done("new", **PENDING)["id"])
    with second.stream(resume=known) as stream:
        assert stream.subscribed["accounts"]["demo"]["recovered"] is True
        assert [told["offset"] for told in stream.events(16)] == list(range(6, 22))
        stream.quiet()


def test_a_connections_orders_are_cancelled_by_an_engine_elsewhere(pair):
    first, second = pair.places(pair.trader())
    doomed = first.stream("trading:orders_demo")
    doomed.ask({"type": "session", "cancelOnDisconnect": True})
    doomed.trade("new", **PENDING)
    kept = second.done("new", **PENDING)["id"]
    doomed.cut()
    eventually(lambda: [row["id"] for row in second.get("/trading/orders").data] == [kept])


def test_an_administrators_deposit_reaches_both(pair):
    trader = pair.trader()
    streams = [place.live().stream() for place in pair.places(trader)]
    pair.cluster.webs[0].manage("deposit", trader.name, "2")
    for stream in streams:
        assert [told["data"]["BTC"] for told in stream.events(2)] == ["0.00000000", "2.00000000"]
        stream.ws.close()


# ---- the engine dies


def test_the_standby_takes_over_within_two_seconds_of_a_kill(pair):
    """Over a stream that stays open: nothing that was acknowledged is missing, nothing is told twice."""
    first, second = pair.places(pair.trader())
    killed, fence = pair.working, pair.fence()
    with first.stream() as stream:
        before = [stream.trade("new", **SMALL)["id"] for _ in range(5)]
        killed.kill()
        assert seconds_until(lambda: accepted(second)) < 2
        assert pair.working is not killed
        assert pair.fence() == fence_of(pair.working) == fence + 1
        after = stream.trade("new", **SMALL)["id"]
        opened = {row["id"] for row in second.get("/trading/positions").data}
        assert {*before, after} <= opened
        told = stream.events(1 + 4 * len(opened))
        assert [event["offset"] for event in told] == list(range(1, 2 + 4 * len(opened)))
        stream.quiet()


def test_the_same_order_gets_the_same_answer_from_the_next_engine(pair):
    first, second = pair.places(pair.trader())
    named = {**SMALL, "client_order_id": "till-8"}
    answer = first.post("new", **named)
    pair.working.kill()
    eventually(lambda: second.post("new", **named).status != 503)
    assert second.post("new", **named).text == answer.text
    assert first.post("new", **{**named, "amount": 1}).code == "client_order_id_reused"


def test_a_frozen_engine_is_deposed_within_five_seconds_and_writes_nothing_when_it_wakes(pair):
    trader = pair.trader()
    first, second = pair.places(trader)
    frozen, fence = pair.working, pair.fence()
    trader.done("new", **SMALL)
    os.kill(frozen.pid, signal.SIGSTOP)
    frozen_s = time.monotonic()
    try:
        # Asked and not answered: what the frozen one would do with it must not happen twice, nor late.
        lost = first.post("new", **{**SMALL, "client_order_id": "while-frozen"})
        assert (lost.status, lost.code) == (503, "unavailable")
        assert int(dict(lost.headers)["Retry-After"]) >= 1
        eventually(lambda: accepted(second))
        assert time.monotonic() - frozen_s < 5
        assert pair.fence() == fence + 1
        offset = trader.get("/trading/events").data["offset"]
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    eventually(lambda: frozen.log().count("stands by") or "begins again" in frozen.log())
    time.sleep(1)  # awake and at its work, if it still believed that it has any
    assert (pair.fence(), pair.working is frozen) == (fence + 1, False)
    assert trader.get("/trading/events").data["offset"] == offset
    assert second.get("/trading/trade", client_order_id="while-frozen").status == 404
    again = second.post("new", **{**SMALL, "client_order_id": "while-frozen"})
    assert again.status == 200
    assert first.post("new", **{**SMALL, "client_order_id": "while-frozen"}).text == again.text
    assert_dense(trader)


def test_an_engine_that_is_ended_in_order_lets_the_standby_in_at_once(pair):
    first, _ = pair.places(pair.trader())
    assert pair.working.stop(signal.SIGTERM) == 0
    assert seconds_until(lambda: accepted(first)) < 2


# ---- the layer between them dies


def test_valkey_may_lose_everything_and_no_event_is_lost(pair):
    """Flushed, then restarted empty: open streams go on, a cut one resumes, trades are done again."""
    first, second = pair.places(pair.trader())
    with first.stream() as stays:
        with second.stream() as cut:
            first.done("new", **SMALL)
            known = {"demo": {**cut.subscribed["accounts"]["demo"], "offset": cut.events(5)[-1]["offset"]}}
            cut.cut()
        first.done("new", **SMALL)
        port = pair.cluster.valkey.port
        pair.cluster.valkey.stop()
        gone = first.post("new", **SMALL)
        assert (gone.status, gone.code) == (503, "unavailable")
        pair.cluster.restart_valkey(port)
        eventually(lambda: accepted(second), within_s=15)
        pair.exchange.prices()
        count = first.get("/trading/events").data["offset"]
        with second.stream(resume=known) as resumed:
            assert resumed.subscribed["accounts"]["demo"]["recovered"] is True
            assert [told["offset"] for told in resumed.events(count - 5)] == list(range(6, count + 1))
        assert [told["offset"] for told in stays.events(count)] == list(range(1, count + 1))
