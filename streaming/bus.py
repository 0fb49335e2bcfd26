"""Publish and receive between processes: announcements as channel-layer messages, the board that heals lost ones.

The layer carries hints. A quote that is lost is replaced by the next one, or within a second by the board, which the
feed process sends to the processes without a feed: the newest of everything that changed. A private event that is lost
is read from its account's log (`private.py`).
"""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeVar, get_args

from engine.board import Board
from engine.values import OHLC, Candle, Environment, MarketStatus, Quote, State, parse_number, plain
from streaming import topics
from streaming.lines import Line
from streaming.messages import PrivateEvent

logger = logging.getLogger(__name__)

Announcement = Quote | Candle | MarketStatus
_Kind = TypeVar("_Kind")

MAX_OUTBOX = 20_000
"""Announcements waiting for the layer: two seconds at 10,000 ticks/s. Beyond it the oldest go; the board heals them."""

BATCH = 1_000
"""Announcements that leave in one write: a tenth of a second at 10,000 ticks/s."""

BOARD_INTERVAL_S = 1.0
BOARD_PART = 500
"""Announcements in one board message: about 100 KB."""

EVENTS_PART = 100
"""Private events in one message: about 40 KB."""

PAUSE_S = 0.002
"""After so long without a message the next one does not wait for the sender's turn; what comes closer goes together."""

RETRY_S = 0.5
"""Between attempts while the layer is away: quotes have to flow again 2 s after it is back."""

SAY_AGAIN_S = 60.0


class Bus:
    """One process's end of the channel layer. `receive` is called with every announcement that other processes made."""

    def __init__(self, line: Line, board: Board) -> None:
        self.origin = uuid.uuid4().hex
        self.lost = 0
        self._line = line
        self._board = board
        self._wanted: set[str] = set()
        self._joined: set[str] = set()
        self._outbox: deque[tuple[str, dict[str, Any]]] = deque()
        self._wake_sender = asyncio.Event()
        self._wake_keeper = asyncio.Event()
        self._posted_s = self._said_s = float("-inf")
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {}

    @property
    def channel(self) -> str:
        """This process's own channel: where answers go."""
        return self._line.name

    def on(self, kind: str, handler: Callable[[dict[str, Any]], None]) -> None:
        """Call the handler with every message of this `type` that another process sent."""
        self._handlers[kind] = handler

    async def open(self) -> None:
        await self._line.open()

    async def close(self) -> None:
        await self._line.close()

    # ---- out

    def announce(self, topic: str, news: Announcement) -> None:
        """Tell the other processes; returns at once. Skipped where this process is known to be alone."""
        if not self._line.alone(topic):
            self.post(topic, {**to_message(news), "origin": self.origin})

    def announce_private(self, events: Sequence[PrivateEvent]) -> None:
        """Tell the processes in which somebody follows these accounts what was committed; returns at once."""
        groups: dict[str, list[PrivateEvent]] = {}
        for event in events:
            groups.setdefault(topics.account(event.environment, event.user_id), []).append(event)
        for group, news in groups.items():
            if not self._line.alone(group):
                for message in to_messages(news):
                    self.post(group, {**message, "origin": self.origin})

    def post(self, group: str, message: dict[str, Any]) -> None:
        """Send a message to a group, in order, as soon as the layer takes it."""
        now_s = time.monotonic()
        is_first, self._posted_s = now_s - self._posted_s >= PAUSE_S, now_s
        if is_first and not self._outbox and self._line.say_at_once(group, message):
            return
        if len(self._outbox) >= MAX_OUTBOX:
            self._outbox.popleft()
            self.lost += 1
        self._outbox.append((group, message))
        self._wake_sender.set()

    async def answer(self, channel: str, message: dict[str, Any]) -> None:
        await self._line.answer(channel, message)

    async def send_forever(self) -> None:
        while True:
            await self._wake_sender.wait()
            self._wake_sender.clear()
            while self._outbox:
                batch = [self._outbox.popleft() for _ in range(min(BATCH, len(self._outbox)))]
                try:
                    await self._line.say(batch)
                except Exception as error:
                    # The line is cut. What waited is old news when it is back: the board tells what counts.
                    self.lost += len(batch) + len(self._outbox)
                    self._outbox.clear()
                    await self._away(error)

    # ---- in

    def want(self, group: str, wanted: bool) -> None:
        """Join a group, or leave it, as soon as the layer takes it."""
        (self._wanted.add if wanted else self._wanted.discard)(group)
        self._wake_keeper.set()

    async def settled(self) -> None:
        """Wait until the groups wanted are the groups joined."""
        while self._wanted != self._joined:
            self._wake_keeper.set()
            await asyncio.sleep(0.005)

    async def keep_groups_forever(self) -> None:
        while True:
            await self._wake_keeper.wait()
            self._wake_keeper.clear()
            try:
                await self._adjust()
            except Exception as error:
                await self._away(error)
                self._wake_keeper.set()

    async def _adjust(self) -> None:
        for group in self._wanted - self._joined:
            await self._line.join(group)
            self._joined.add(group)
        for group in self._joined - self._wanted:
            # Not joined any more from now on: wanted again meanwhile, it is joined anew.
            self._joined.discard(group)
            try:
                await self._line.leave(group)
            except BaseException:
                self._joined.add(group)
                raise

    async def receive_forever(self) -> None:
        while True:
            try:
                await self._line.listen(self._take)
            except Exception as error:
                await self._away(error)

    def _take(self, message: dict[str, Any]) -> None:
        try:
            handler = self._handlers.get(message.get("type", ""))
            if handler is not None and message.get("origin") != self.origin:
                handler(message)
        except Exception:
            # Somebody else's malformed message must not end this process's reception.
            logger.exception("A message of the channel layer could not be read")

    async def _away(self, error: Exception) -> None:
        """Wait a little before the layer is asked again; say so once a minute at most."""
        if time.monotonic() - self._said_s > SAY_AGAIN_S:
            self._said_s = time.monotonic()
            logger.warning("The channel layer does not answer: %s", type(error).__name__)
        await asyncio.sleep(RETRY_S)

    # ---- the board

    def post_board(self, news: Iterable[Announcement], epoch: str) -> None:
        """Send what has changed to the processes without a feed, if there are any; where nothing has, it says that we
        are here.
        """
        if self._line.alone(topics.BOARD):
            return
        entries = [to_message(item) for item in news]
        for at in range(0, max(1, len(entries)), BOARD_PART):
            part = entries[at : at + BOARD_PART]
            message = {"type": "market.board", "epoch": epoch, "replaying": self._board.replaying, "news": part}
            self.post(topics.BOARD, {**message, "origin": self.origin})


def to_message(news: Announcement) -> dict[str, Any]:
    """Return an announcement as a channel-layer message; `type` names the handler of a Channels consumer."""
    match news:
        case Quote():
            return {
                "type": "market.quote",
                "product": news.product,
                "bid": plain(news.bid),
                "ask": plain(news.ask),
                "mid": plain(news.mid),
                "mid_day_ago": plain(news.mid_day_ago),
                "time_ms": news.time_ms,
                "serial": news.serial,
            }
        case Candle():
            return {
                "type": "market.candle",
                "product": news.product,
                "resolution": news.resolution,
                "start_s": news.start_s,
                "prices": [plain(price) for ohlc in (news.mid, news.bid, news.ask) for price in ohlc],
                "closed": news.closed,
            }
        case MarketStatus():
            return {"type": "market.status", "product": news.product, "state": news.state}


def from_message(message: dict[str, Any]) -> Announcement:
    """Return the announcement in a message that `to_message` made; raises an exception for any other.

    Strict, because what gets in here stays on the board: a serial that is text would refuse every later quote.
    """
    match message["type"]:
        case "market.quote":
            bid, ask, mid, day_ago = (parse_number(message[name]) for name in ("bid", "ask", "mid", "mid_day_ago"))
            product, time_ms, serial = message["product"], message["time_ms"], message["serial"]
            return Quote(_a(str, product), bid, ask, mid, day_ago, _a(int, time_ms), _a(int, serial))
        case "market.candle":
            prices = [parse_number(price) for price in message["prices"]]
            mid_ohlc, bid_ohlc, ask_ohlc = (_ohlc(prices[at : at + 4]) for at in (0, 4, 8))
            place = (_a(str, message["product"]), _a(str, message["resolution"]), _a(int, message["start_s"]))
            return Candle(*place, mid_ohlc, bid_ohlc, ask_ohlc, _a(bool, message["closed"]))
        case "market.status":
            if message["state"] not in get_args(State):
                raise ValueError(f"not a state: {message['state']!r}")
            return MarketStatus(_a(str, message["product"]), message["state"])
        case other:
            raise ValueError(f"not an announcement: {other!r}")


def to_messages(events: Sequence[PrivateEvent]) -> Iterator[dict[str, Any]]:
    """Yield the messages that carry an account's events, each for the handler `private_events` of a consumer."""
    for at in range(0, len(events), EVENTS_PART):
        part = events[at : at + EVENTS_PART]
        yield {
            "type": "private.events",
            "environment": part[0].environment,
            "user_id": part[0].user_id,
            "events": [[event.offset, event.name, event.data] for event in part],
        }


def from_private_message(message: dict[str, Any]) -> list[PrivateEvent]:
    """Return the events in a message that `to_messages` made; raises an exception for any other."""
    environment, user_id = message["environment"], _a(int, message["user_id"])
    if environment not in get_args(Environment):
        raise ValueError(f"not an environment: {environment!r}")
    return [
        PrivateEvent(environment, user_id, _a(int, offset), _a(str, name), _a(str, data))
        for offset, name, data in message["events"]
    ]


def _a(kind: type[_Kind], value: Any) -> _Kind:
    """Return the value, which has to be exactly of this kind (true is no number)."""
    if type(value) is not kind:
        raise ValueError(f"not {kind.__name__}: {value!r}")
    return value


def _ohlc(prices: list[Decimal]) -> OHLC:
    first, high, low, close = prices
    return first, high, low, close
