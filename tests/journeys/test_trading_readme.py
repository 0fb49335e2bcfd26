"""The README's two ways to trade, as they stand."""

import json
import re
import shlex
import sys
from urllib.parse import urlsplit

import pytest

from tests.journeys.test_readme import README, lines_printed, sample
from tests.journeys.traders import called


@pytest.fixture
def trader(exchange):
    exchange.prices()
    return exchange.trader()


def test_the_call_with_curl_places_an_order(exchange, trader):
    """Read as a shell and curl read it: not every machine has curl."""
    (command,) = re.findall(r"^ {4}(curl .*trade/new.*)$", README, re.MULTILINE)
    _, url, *options = shlex.split(command.replace("tk_demo_…", trader.key.secret))
    values = [options[at + 1] for at, option in enumerate(options) if option == "-H"]
    headers = dict(value.split(": ", 1) for value in values)
    body = options[options.index("-d") + 1]
    target = f"{urlsplit(url).path}?{urlsplit(url).query}"
    answer = called(exchange.server, "POST", target, body.encode(), headers)
    assert (answer.status, answer.data["price"]) == (200, "1.26635")
    assert trader.get("/trading/positions").data[0]["id"] == answer.data["id"]


def test_the_python_sample_trades_over_the_event_stream(exchange, trader, tmp_path):
    code = sample("python", containing="trading:positions_demo").replace("ws://127.0.0.1:8080", exchange.server.ws_url)
    code = code.replace("8b6bcdc6-…", trader.key.id).replace("tk_demo_…", trader.key.secret)
    lines = lines_printed([sys.executable, "-u", "-c", code], cwd=tmp_path, wanted='"position_demo:new"')
    told = [json.loads(line) for line in lines]
    kinds = [message.get("event", message.get("type")) for message in told]
    assert kinds[:6] == [
        "subscribed", "balance_demo", "result", "order_demo:new", "order_demo:activate", "position_demo:new",
    ]  # fmt: skip
