"""Do the protocol documents say what the server does? Their JSON blocks are run, and their table is checked."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.errors import TOO_LARGE, Code, Refused
from engine.values import Candle, MarketStatus, Product, Quote
from streaming.dialects import EVENT_STREAM, TICK_STREAM
from streaming.dialects.base import MAX_NAMES, MAX_TICKS
from streaming.dialects.json_text import MAX_DEPTH
from streaming.frames import Numbered, payloads
from streaming.messages import Heartbeat, PrivateEvent, Shutdown, Snapshot, Welcome
from streaming.server import MAX_MESSAGE_BYTES
from streaming.session import MAX_SUBSCRIPTIONS
from streaming.sink import MAX_HELD, MAX_QUEUED
from streaming.trades import MAX_PLACED, MAX_TRADES_IN_FLIGHT
from tests.engine.documents import (
    BALANCE,
    ORDER_ACTIVATE,
    ORDER_CANCEL,
    ORDER_NEW,
    ORDER_UPDATE,
    POSITION_CLOSE,
    POSITION_NEW,
    POSITION_SPLIT,
    POSITION_UPDATE,
    line,
)
from tests.streaming.nodes import FixedCatalogue
from tests.streaming.sessions import EVENTS, TICKS, Client, identity

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "protocols"
DOCUMENTS = {"tick stream": FOLDER / "tick_stream.md", "event stream": FOLDER / "event_stream.md"}
DIALECTS = {"tick stream": TICK_STREAM, "event stream": EVENT_STREAM}

NAMES = ("AAPL", "EUR-USD", "GBP-USD", "XAU-USD", "USD-JPY", "BTC-USD")
CATALOGUE = FixedCatalogue({name: Product(name, name.replace("-", ""), 5) for name in NAMES})
WHO = identity("market", "read", "trade", "feed", key_id="8b6bcdc6-5ef8-463b-833f-3681dc2c90d3")

# The vendor's own examples: what the document shows has to be what the engine's tests are held to.
PRIVATE = {
    "order:new": ORDER_NEW,
    "order:update": ORDER_UPDATE,
    "order:activate": ORDER_ACTIVATE,
    "order:cancel": ORDER_CANCEL,
    "position:new": POSITION_NEW,
    "position:update": POSITION_UPDATE,
    "position:split": POSITION_SPLIT,
    "position:close": POSITION_CLOSE,
    "balance": BALANCE,
}

BLOCK = re.compile(r"^```json (client|server)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WHITE_SPACE = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')


@dataclass(frozen=True)
class Block:
    """One JSON block of a document; `answers` the text of the client's block right before it, if there is one."""

    side: str
    text: str
    answers: str = ""

    @property
    def fields(self):
        # Only the document's subscribe with `auth` has a comma too many.
        return json.loads(self.text.replace('",\n  ]', '"\n  ]'), parse_float=Decimal)

    @property
    def name(self):
        return self.fields.get("event") or self.fields["type"]

    @property
    def bytes(self):
        """The block as it goes over the wire."""
        return WHITE_SPACE.sub(lambda match: match[1] or "", self.text).encode()


def blocks(document):
    found: list[Block] = []
    for side, text in BLOCK.findall(DOCUMENTS[document].read_text()):
        before = found[-1] if found and side == "server" and found[-1].side == "client" else None
        found.append(Block(side, text, before.text if before else ""))
    return found


def connection(document):
    """Return the client of a document's conversation, whose server knows what the document takes for granted."""
    if document == "tick stream":
        client = Client(TICKS, known={"<your-api-key>": WHO}, catalogue=CATALOGUE)
        client.refused_ticks = [(1, Code.CROSSED)]
        return client
    client = Client(EVENTS, known={WHO.key_id: WHO}, catalogue=CATALOGUE)
    client.wall_ms = 1511434319320
    client.result = line(ORDER_NEW)
    return client


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_a_conversation_that_a_session_has(document):
    client = connection(document)
    client.open()
    for block in blocks(document):
        if block.side == "client":
            before = len(client.sent)
            answers = client.say(block.text)
            assert len(answers) == 1, block.text
        elif block.answers:
            assert client.sent[before:] == [block.bytes]


def price(text):
    return Decimal(text)


def ohlc(texts):
    first, high, low, close = map(price, texts)
    return first, high, low, close


def said_of(block):
    """Return what has to happen for the server to say this by itself, in the domain's words."""
    fields = block.fields
    data = fields.get("data")
    match block.name:
        case "welcome":
            return Welcome(fields["authWindow"], fields["serverTime"])
        case "error":
            details = {snake(name): value for name, value in fields.items() if name not in ("type", "message", "code")}
            return Refused(Code(fields["code"]), **details)
        case "shutdown":
            return Shutdown(fields["retryAfterMs"])
        case "tick":
            product = CATALOGUE.resolve(fields["symbol"]).name
            return Quote(product, fields["bid"], fields["ask"], Decimal(1), Decimal(1), fields["time"], 1)
        case "status" if data is None:
            return MarketStatus(CATALOGUE.resolve(fields["symbol"]).name, fields["state"])
        case "status":
            return MarketStatus(data["product"], data["state"])
        case "quote":
            product, mid, bid, ask, day_ago, time_ms = data
            return Quote(product, price(bid), price(ask), price(mid), price(day_ago), time_ms, 1)
        case "candle":
            place = (fields["product"], fields["resolution"], int(data["t"]))
            return Candle(*place, ohlc(data["m"]), ohlc(data["b"]), ohlc(data["a"]), data["closed"])
        case "heartbeat":
            return Heartbeat(data["time"], data.get("offset", {}))
        case "snapshot_demo":
            return Snapshot("demo", fields["offset"], json.dumps(data, separators=(",", ":")))
        case name if name in PRIVATE:
            return PrivateEvent("live", 7, fields["offset"], name, line(PRIVATE[name]))
        case other:
            raise AssertionError(f"nobody says {other} unasked")


def snake(name):
    return re.sub("[A-Z]", lambda match: "_" + match[0].lower(), name)


def written(dialect, said, sequence):
    if isinstance(said, Welcome | Refused | Shutdown):
        return dialect.reply(said, None)
    encoded = dialect.encode(said, CATALOGUE)
    (text,) = payloads(encoded.frame(sequence) if isinstance(encoded, Numbered) else encoded)
    return text.encode()


UNASKED = [
    pytest.param(document, block, id=f"{document}: {block.name}")
    for document in DOCUMENTS
    for block in blocks(document)
    if block.side == "server" and not block.answers
]


@pytest.mark.parametrize(("document", "block"), UNASKED)
def test_what_comes_unasked_is_what_the_dialect_writes(document, block):
    assert written(DIALECTS[document], said_of(block), block.fields.get("sequence")) == block.bytes


def test_a_tick_with_four_digits_is_shown_as_it_is_sent():
    (tick,) = [block for block in blocks("tick stream") if block.name == "tick"]
    assert b'"bid":1.0850,"ask":1.0852,' in tick.bytes


def test_the_trailing_comma_of_the_event_document_is_kept():
    assert '"trading:positions",\n  ],' in DOCUMENTS["event stream"].read_text()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_limits_are_those_of_the_code(document):
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", DOCUMENTS[document].read_text(), re.MULTILINE))
    subscriptions = "subscriptions" if document == "tick stream" else "channels"
    assert rows["names in a message"] == f"{MAX_NAMES:,}"
    assert rows["ticks in a `publish`"] == f"{MAX_TICKS:,}"
    assert rows[f"{subscriptions} of a connection"] == f"{MAX_SUBSCRIPTIONS:,}"
    if document == "event stream":
        assert rows["trades of a connection without an answer"] == str(MAX_TRADES_IN_FLIGHT)
    assert rows["a message"].startswith(
        f"{MAX_MESSAGE_BYTES // 1024} KiB (else close code {TOO_LARGE.code}), {MAX_DEPTH} l"
    )


def test_the_bounds_in_the_events_text_are_those_of_the_code():
    text = DOCUMENTS["event stream"].read_text()
    for bound in (f"{MAX_HELD:,} events", f"{MAX_QUEUED:,} answers", f"last {MAX_PLACED:,} are remembered"):
        assert bound in text
    assert f"up to {MAX_TRADES_IN_FLIGHT} may be under way" in text


# ---- the table

ROW = re.compile(
    r"^\| (tick stream|event stream) \| (client|server) \| `([\w:]+)` \| `([\w/.]+)` \| `([\w/.]+)::(\w+)` \|$"
)
ROWS = [
    match.groups()
    for line in (FOLDER / "README.md").read_text().splitlines()
    if line.startswith(("| tick stream", "| event stream"))
    for match in [ROW.fullmatch(line)]
    if match or pytest.fail(f"not a row of the table: {line}")
]


def test_the_table_has_every_message_of_the_documents_once():
    shown = {(document, block.side, block.name) for document in DOCUMENTS for block in blocks(document)}
    rows = [row[:3] for row in ROWS]
    assert sorted(shown) == sorted(rows)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:3]))
def test_every_row_names_a_module_and_a_test_that_exist(row):
    *_, module, test_file, test = row
    assert (ROOT / module).is_file()
    assert re.search(rf"^(async )?(def {test}\(|{test} = )", (ROOT / test_file).read_text(), re.MULTILINE)
