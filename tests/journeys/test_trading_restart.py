"""A server that was killed goes on with everything it has said; one that ends in order keeps its word before it goes.

(Kills at every point of a transaction, and under load, are in test_crashes; the same with several processes and engines
that take over is in test_engines.)
"""

import pytest

from tests.journeys.harness import RELAXED, Server, eventually
from tests.journeys.traders import DEMO, MARKET, PENDING, Exchange

NAMED = {**MARKET, "client_order_id": "till-7", "stop_loss": "1.26400"}
TOO_MUCH = {**NAMED, "client_order_id": "till-8", "leverage": "10"}
NEVER = {**MARKET, "leverage": "301"}
"""An order that is refused in any case; for an old price first of all."""

WAITING = "from trading.models import Order; print('waiting:', Order.objects.filter(status='open').count())"


@pytest.mark.once
def test_a_server_goes_on_where_it_was(tmp_path, server_env):
    """Answers, refusals, the log and the money are as they were, and deposits are taken while no server runs."""
    server = Server(tmp_path, "--feed", "none", env={**RELAXED, **server_env, "STALE_AFTER_S": "2"})
    with server:
        exchange = Exchange(server, accounts=2)
        exchange.prices()
        trader = exchange.trader()
        exchange.prices()
        first, refused = trader.post("new", **NAMED), trader.post("new", **TOO_MUCH)
        assert (first.status, refused.code) == (200, "insufficient_balance")
        eventually(lambda: trader.post("new", **NEVER).code == "price_outdated")
        assert trader.post("close", id=first.data["id"]).code == "price_outdated"
        log = trader.get("/trading/events").data
        server.kill()
    assert "1.00000000 BTC free" in server.manage("deposit", trader.name, "1")
    with server:
        assert trader.live().balance() == "1.00000000"
        assert trader.get("/trading/events").data == log
        again = trader.post("new", **NAMED)
        assert (again.status, again.text) == (200, first.text)
        assert trader.post("new", **TOO_MUCH).text == refused.text
        assert trader.post("new", **{**NAMED, "amount": 1}).code == "client_order_id_reused"
        with trader.stream() as stream:
            exchange.publish("1.26399", "1.26404")
            closed, balance = stream.events(2)
        assert (closed["data"]["id"], closed["data"]["reason"]) == (first.data["id"], "stop_loss")
        assert balance["data"] == {"BTC": trader.balance()}
        _ends_in_order(server, trader)
    assert "Traceback" not in server.log()


def _ends_in_order(server, trader):
    """End it while a connection is open whose pending orders are to end with it, and one whose are not."""
    with trader.stream(DEMO[0]) as doomed, trader.stream(DEMO[0]) as careless:
        doomed.ask({"type": "session", "cancelOnDisconnect": True})
        for _ in range(3):
            doomed.trade("new", **PENDING)
        careless.trade("new", **PENDING)
        assert server.stop() == 0
    assert "waiting: 1\n" in server.manage("shell", "-c", WAITING)
