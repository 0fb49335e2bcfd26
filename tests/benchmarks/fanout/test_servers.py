"""How a client of a measured server begins."""

import json

from benchmarks.fanout.servers import Serving
from benchmarks.fanout.workloads import W1, WORKLOADS


def serving(**given):
    fields = {"port": 1, "pids": [], "publisher": None, "key": ("id", "secret"), "is_tickwire": True, **given}
    return Serving(**fields)


def messages(line):
    return [json.loads(text) for text in line.split("\t")]


def workload(name):
    return next(workload for workload in WORKLOADS if workload.name == name)


def test_a_tick_stream_client_authenticates_and_subscribes():
    first, *_ = serving().script(W1)
    assert messages(first) == [{"type": "auth", "apiKey": "secret"}, {"type": "subscribe", "symbols": ["S00"]}]


def test_an_event_stream_client_needs_no_key():
    first, *_ = serving().script(workload("E1"))
    assert messages(first) == [{"type": "subscribe", "channels": ["trading:quotes:S00"]}]


def test_products_are_spread_evenly_over_connections():
    script = list(serving().script(workload("W3")))
    asked = [symbol for line in script for symbol in messages(line)[1]["symbols"]]
    assert len(script) == 1_000
    assert {asked.count(f"S{number:02d}") for number in range(50)} == {100}


def test_only_tickwire_has_an_address_per_dialect():
    assert serving().path(workload("E1")) == "/ws/events"
    assert serving(is_tickwire=False).path(W1) == "/"
