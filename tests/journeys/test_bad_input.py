"""Whatever a client sends: one coded error or the documented close, no traceback, and nobody else's stream is late."""

import json
import threading
import time

import pytest

from tests.journeys.clients import Client, event_client, tick_client

DEEP = "[" * 5_000
BAD_MESSAGES = {
    "malformed": ('{"type":"subscribe",', "invalid_json"),
    "not an object": ("[1,2]", "invalid_json"),
    "empty": ("", "invalid_json"),
    "a duplicate key": ('{"type":"list","type":"list"}', "invalid_json"),
    "nested deeply": (DEEP, "invalid_json"),
    "nested deeply in a field": (json.dumps({"type": "list", "x": [[[[[[[[[[1]]]]]]]]]]}), "invalid_json"),
    "a lone surrogate": ('{"type":"subscribe","symbol":"\\ud800"}', "invalid_json"),
    "NaN": ('{"type":"list","x":NaN}', "invalid_number"),
    "Infinity": ('{"type":"list","x":-Infinity}', "invalid_number"),
    "an exponent": ('{"type":"publish","ticks":[["EURUSD",1e999999,1.1,1]]}', "invalid_number"),
    "a long integer": ('{"type":"list","x":%s}' % ("9" * 5_000), "invalid_number"),
    "an unknown type": ('{"type":"dance"}', "unknown_type"),
    "no type": ('{"symbol":"EURUSD"}', "invalid_message"),
    "a type that is no string": ('{"type":1,"symbol":"EURUSD"}', "invalid_message"),
    "a symbol that is no string": ('{"type":"subscribe","symbol":5}', "invalid_message"),
    "symbols that are no list": ('{"type":"subscribe","symbols":"EURUSD"}', "invalid_message"),
    "a symbol that is null": ('{"type":"subscribe","symbols":[null]}', "invalid_message"),
    "an id that is an object": ('{"type":"list","id":{}}', "invalid_message"),
    "an unknown symbol": ('{"type":"subscribe","symbol":"NOSUCH"}', "unknown_symbol"),
    "a symbol with a null character": ('{"type":"subscribe","symbol":"EUR\\u0000USD"}', "unknown_symbol"),
    "a symbol with markup": ('{"type":"subscribe","symbol":"<script>"}', "unknown_symbol"),
    "Arabic digits": ('{"type":"publish","ticks":[["EURUSD","\\u0661","\\u0662",1]]}', "invalid_number"),
    "an interval nobody offers": ('{"type":"subscribe","symbol":"EURUSD","interval":7}', "invalid_interval"),
    "too many names": (json.dumps({"type": "subscribe", "symbols": ["A"] * 5_000}), "too_many_names"),
}


@pytest.mark.parametrize("name", BAD_MESSAGES)
def test_a_bad_message_is_answered_with_one_coded_error(server, feed_key, name):
    text, code = BAD_MESSAGES[name]
    with tick_client(server, feed_key.secret) as client:
        reply = client.ask(text)
        assert (reply["type"], reply["code"]) == ("error", code)
        # One error, and the connection goes on.
        assert client.ask({"type": "list"})["symbols"] == []


def test_the_event_stream_refuses_in_the_same_codes(server):
    with event_client(server, "heartbeat") as client:
        for text, code in (
            ('{"type":"subscribe"}', "invalid_message"),
            ('{"type":"subscribe","channels":["trading:candles:EUR-USD:7"]}', "unknown_channel"),
            ('{"type":"subscribe","channels":["trading:quotes:EUR-USD@7ms"]}', "invalid_interval"),
            ('{"type":"subscribe","channels":["trading:positions"]}', "authentication_required"),
            ('{"type":"subscribe","channels":[],"auth":{"key":1}}', "invalid_message"),
        ):
            assert client.ask(text)["code"] == code


def test_a_message_of_a_megabyte_and_a_hundred_thousand_names_close_with_1009(server):
    for text in ("x" * 1_000_000, json.dumps({"type": "subscribe", "symbols": ["EURUSD"] * 100_000})):
        client = Client(server.ws_url + "/ws/ticks")
        client.send(text)
        assert client.closed() == (1009, "message_too_large")


def test_a_binary_message_is_refused_in_words(server, feed_key):
    with tick_client(server, feed_key.secret) as client:
        client.ws.send_binary(b"\x00\xff")
        assert client.next()["code"] == "binary_not_supported"


def test_nobody_elses_stream_is_late_while_bad_messages_pour_in(server, feed_key):
    """A canary's heartbeats and quotes keep coming while four connections send nothing but nonsense."""
    ending = threading.Event()

    def pour():
        texts = [text for text, _ in BAD_MESSAGES.values()]
        with tick_client(server, feed_key.secret) as client:
            while not ending.is_set():
                for text in texts:
                    client.ask(text)

    threads = [threading.Thread(target=pour) for _ in range(4)]
    with event_client(server, "trading:quotes:EUR-USD", "trading:quotes:BTC-USD") as canary:
        for thread in threads:
            thread.start()
        try:
            started_s, latest_s, sequence, longest_s = time.monotonic(), time.monotonic(), 0, 0.0
            while time.monotonic() < started_s + 6:
                event = canary.next()
                sequence += 1
                assert event["sequence"] == sequence
                longest_s = max(longest_s, time.monotonic() - latest_s)
                latest_s = time.monotonic()
        finally:
            ending.set()
            for thread in threads:
                thread.join()
    # Each of the two products ticks at least once a second by itself.
    assert longest_s < 2.5


def test_the_log_has_no_traceback_and_no_secret(server, feed_key):
    log = server.log()
    assert "Traceback" not in log
    assert feed_key.secret not in log
