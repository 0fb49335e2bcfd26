"""The feed: judges every tick, makes quotes and candles of them, knows which product's source is silent.

No Django and no clock in here: times are handed in. `wall_ms` is the time of day, `now_s` the monotonic clock; the
*feed clock* (candles, hours, the mid 24 h ago) is the time of day for live sources and the ticks' own in a replay.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from accounts.errors import Code
from engine.candles import CandleBuilder
from engine.day_ago import DayAgo
from engine.values import (
    RESOLUTIONS,
    Candle,
    MarketStatus,
    Product,
    Quote,
    State,
    Tick,
    mid_price,
    tick_size,
    to_digits,
)
from market.hours import Hours, is_open

FUTURE_MS = 5_000
"""How far a live tick's time may be ahead of ours: clocks differ, candles must not."""

CLOSE_DELAY_MS = 1_000
"""A live bucket closes this long after its end; a later tick for it is refused as late."""

JUMP_WINDOW_MS = 60_000
"""A quote older than this says nothing about where the price may be now."""

CANDLE_INTERVAL_S = 0.25
"""At most one open-candle event per this time, product and resolution (protocols, section 3)."""

UNHEARD_INTERVAL_S = 1.0
"""The same where nobody listens: for REST and for what is stored, as often as other processes hear of it."""

JUDGED_S = 0.25
"""Every product's state is looked at once in this time, a part of them at each look at the clock."""

PRODUCTS_AT_ONCE = 10
"""Products whose candles are closed or told in one piece of work, some 1 ms: a minute ends for all of them at once."""

MINUTE_MS = 60_000
NEVER_S = float("-inf")
REPLAY_SOURCE = "replay"
SIMULATOR_SOURCE = "sim"

MAX_RECENT = 200
"""Refused ticks kept to be looked at; the counts are of all."""

MAX_NAME_SHOWN = 40
"""A refused tick may name anything as its product."""

Announcement = Quote | Candle | MarketStatus


@dataclass(frozen=True, slots=True)
class Refusal:
    """A tick that was refused. `named` is what it called its product, cut short; `product` is `""` when unknown."""

    time_ms: int
    product: str
    named: str
    code: Code
    bid: Decimal
    ask: Decimal
    tick_ms: int
    source: str


@dataclass(frozen=True, slots=True)
class FeedProduct:
    """A product with what is needed to judge its ticks."""

    product: Product
    band_low: Decimal
    band_high: Decimal
    jump_limit: Decimal
    hours: Hours = ()


@dataclass(slots=True)
class _Line:
    """What the feed knows of one product."""

    rules: FeedProduct
    serial: int
    day_ago: DayAgo
    quote: Quote | None = None
    source: str = ""
    heard_s: float = 0.0
    # resolution -> when its last candle event left; and when the next open one may leave at the earliest
    candles_s: dict[str, float] = field(default_factory=dict)
    due_s: float = NEVER_S
    state: State = "stale"
    closed_until_ms: int = 0


@dataclass(slots=True)
class Restored:
    """What stored history tells of one product: its open candles and the minute closes of the last day.

    `first_mid` is the first that was ever known.
    """

    open_candles: list[Candle] = field(default_factory=list)
    minute_closes: list[tuple[int, Decimal]] = field(default_factory=list)
    first_mid: Decimal | None = None
    last_price: Decimal | None = None
    last_ms: int = 0


class Feed:
    """Ticks in, announcements out, through `announce`, in order: the quote, then what it does to candles.

    `is_heard(product, resolution)` says whether anybody follows these candles as they grow.
    """

    def __init__(
        self,
        products: Iterable[FeedProduct],
        *,
        announce: Callable[[Announcement], None],
        is_heard: Callable[[str, str], bool] = lambda _product, _resolution: True,
        live: bool,
        stale_after_s: float,
        first_serial: int = 0,
        restored: Mapping[str, Restored] | None = None,
    ) -> None:
        self.refusals: Counter[tuple[str, Code]] = Counter()
        self.recent: deque[Refusal] = deque(maxlen=MAX_RECENT)
        self.rounded: Counter[str] = Counter()
        self.accepted = 0
        self.live = live
        self.replaying = False
        self._announce = announce
        self._is_heard = is_heard
        self._stale_after_s = stale_after_s
        self._first_serial = first_serial
        self._builder = CandleBuilder()
        self._lines: dict[str, _Line] = {}
        # Lines whose open candles have changed since they were told.
        self._waiting: dict[str, _Line] = {}
        # The end of the newest minute that is closed by now (live), and the products that this is still to be done for.
        self._closed_until_ms = 0
        self._to_close: deque[str] = deque()
        self._to_judge: deque[_Line] = deque()
        self._judged_s = NEVER_S
        self._names: dict[str, str] = {}
        self._restored = restored or {}
        self.set_products(products)

    # ---- products

    def set_products(self, products: Iterable[FeedProduct]) -> None:
        """Take the products as they are now: new ones, changed rules, halts; ticks of one that is gone are refused."""
        names: dict[str, str] = {}
        for rules in products:
            name = rules.product.name
            line = self._lines.get(name)
            if line is None:
                self._add(rules)
            else:
                line.rules = rules
            names |= {name: name, rules.product.symbol: name}
        self._names = names

    def _add(self, rules: FeedProduct) -> None:
        name = rules.product.name
        known = self._restored.get(name, Restored())
        line = _Line(rules, self._first_serial, DayAgo(known.minute_closes, known.first_mid))
        line.closed_until_ms = known.last_ms
        self._lines[name] = line
        self._to_judge.append(line)
        self._to_close.append(name)
        self._builder.restore(known.open_candles)
        if known.open_candles:
            self._waiting[name] = line

    def silences(self, now_s: float) -> list[tuple[str, State, float | None]]:
        """Return each product, its state, and for how many seconds its source has said nothing (None: never)."""
        return [
            (name, line.state, None if line.source == "" else now_s - line.heard_s)
            for name, line in self._lines.items()
        ]

    def last_price(self, product: str) -> Decimal | None:
        """Return where the product stood when it was last quoted, before a restart too."""
        line = self._lines.get(product)
        if line is not None and line.quote is not None:
            return line.quote.mid
        return self._restored.get(product, Restored()).last_price

    # ---- ticks

    def submit(self, ticks: Sequence[Tick], *, source: str, wall_ms: int, now_s: float) -> list[tuple[int, Code]]:
        """Judge ticks in order and announce those that are good; return the index and code of the others."""
        refused = []
        for index, tick in enumerate(ticks):
            code = self._take(tick, source, wall_ms, now_s)
            if code is not None:
                refused.append((index, code))
        return refused

    def _take(self, tick: Tick, source: str, wall_ms: int, now_s: float) -> Code | None:
        name = self._names.get(tick.product) or self._names.get(tick.product.upper().replace("-", ""), "")
        line = self._lines.get(name)
        code = Code.UNKNOWN_PRODUCT if line is None else self._verdict(line, tick, source, wall_ms, now_s)
        if code is not None or line is None:
            self._note_refusal(name, code or Code.UNKNOWN_PRODUCT, tick, source, wall_ms)
            return code
        line.source, line.heard_s = source, now_s
        self._quote(line, tick, now_s)
        return None

    def _note_refusal(self, name: str, code: Code, tick: Tick, source: str, wall_ms: int) -> None:
        self.refusals[(name, code)] += 1
        named = tick.product[:MAX_NAME_SHOWN]
        self.recent.append(Refusal(wall_ms, name, named, code, tick.bid, tick.ask, tick.time_ms, source))

    def _verdict(self, line: _Line, tick: Tick, source: str, wall_ms: int, now_s: float) -> Code | None:
        """Return why a tick is refused, or None."""
        last, rules = line.quote, line.rules
        if line.source not in ("", source) and not self._silent(line, now_s):
            return Code.PRODUCT_HAS_SOURCE
        if 2 * tick.bid <= tick_size(rules.product.digits) or tick.ask <= 0:  # it is rounded to nothing, or below
            return Code.NOT_POSITIVE
        if tick.bid > tick.ask:
            return Code.CROSSED
        if tick.bid < rules.band_low or tick.ask > rules.band_high:
            return Code.OUT_OF_BAND
        if source != REPLAY_SOURCE and tick.time_ms > wall_ms + FUTURE_MS:
            return Code.FUTURE_TICK
        if self.live and tick.time_ms < max(self._closed_until_ms, _closed_ms(wall_ms)):
            return Code.LATE
        if last is not None and tick.time_ms < last.time_ms:
            return Code.OUT_OF_ORDER
        if tick.time_ms < line.closed_until_ms:
            return Code.LATE
        if last is not None and tick.time_ms - last.time_ms < JUMP_WINDOW_MS:
            mid = (tick.bid + tick.ask) / 2
            if abs(mid - last.mid) > last.mid * rules.jump_limit:
                return Code.OUT_OF_BAND
        return None

    def _quote(self, line: _Line, tick: Tick, now_s: float) -> None:
        product = line.rules.product
        bid, ask = to_digits(tick.bid, product.digits), to_digits(tick.ask, product.digits)
        if (bid, ask) != (tick.bid, tick.ask):
            self.rounded[product.name] += 1
        mid = mid_price(bid, ask, product.digits)
        line.serial += 1
        # Before the mid of a day ago is looked up: after a long pause, the minute that ends now is the answer.
        closed = self._builder.close(product.name, tick.time_ms)
        for candle in closed:
            self._note_close(line, candle)
        day_ago = line.day_ago.at(tick.time_ms, mid)
        quote = Quote(product.name, bid, ask, mid, day_ago, tick.time_ms, line.serial)
        line.quote = quote
        self.accepted += 1
        # Before the quote: who trades at it has to know that the product trades.
        self._judge_state(line, tick.time_ms, now_s)
        self._announce(quote)
        self._builder.add(quote)
        for candle in closed:
            self._announce_candle(line, candle, now_s)
        if now_s >= line.due_s:
            self._announce_open(line, now_s)
        else:
            self._waiting[product.name] = line

    # ---- time

    def on_clock(self, *, wall_ms: int, now_s: float) -> bool:
        """Close what has ended (live), send open candles that waited for their interval, notice silent sources.

        Return whether more is due: then it wants to be called again as soon as others have had their turn.
        """
        if self.live:
            self._close_some(wall_ms, now_s)
        due = [line for line in self._waiting.values() if now_s >= line.due_s]
        for line in due[:PRODUCTS_AT_ONCE]:
            self._announce_open(line, now_s)
        self._judge_some(wall_ms, now_s)
        return len(due) > PRODUCTS_AT_ONCE or (self.live and len(self._to_close) > 0)

    def _close_some(self, wall_ms: int, now_s: float) -> None:
        # The wall clock may be set back: what was closed stays closed.
        if _closed_ms(wall_ms) > self._closed_until_ms:
            self._closed_until_ms = _closed_ms(wall_ms)
            self._to_close = deque(self._lines)
        for _ in range(min(PRODUCTS_AT_ONCE, len(self._to_close))):
            line = self._lines[self._to_close.popleft()]
            for candle in self._builder.close(line.rules.product.name, self._closed_until_ms):
                self._note_close(line, candle)
                self._announce_candle(line, candle, now_s)

    def _judge_some(self, wall_ms: int, now_s: float) -> None:
        """Look at the products' states, taking turns."""
        count, part = len(self._to_judge), (now_s - self._judged_s) / JUDGED_S
        self._judged_s = now_s
        for _ in range(count if part >= 1 else min(count, int(count * part) + 1)):
            line = self._to_judge[0]
            self._to_judge.rotate(-1)
            feed_ms = wall_ms if self.live or line.quote is None else line.quote.time_ms
            self._judge_state(line, feed_ms, now_s)

    def end_of_source(self, *, now_s: float) -> None:
        """Close everything that a replay has left open: it has come to its end, and its products go stale."""
        self.replaying = False
        for line in self._lines.values():
            if line.source == REPLAY_SOURCE:
                for candle in self._builder.close_all(line.rules.product.name):
                    self._note_close(line, candle)
                    self._announce_candle(line, candle, now_s)
                line.source = ""
                feed_ms = line.quote.time_ms if line.quote is not None else 0
                self._judge_state(line, feed_ms, now_s)

    def _announce_open(self, line: _Line, now_s: float) -> None:
        name = line.rules.product.name
        due = {resolution for resolution in RESOLUTIONS if self._is_due(line, resolution, now_s)}
        for candle in self._builder.changed(name, due):
            self._announce_candle(line, candle, now_s)
        line.due_s = now_s + CANDLE_INTERVAL_S
        if len(due) == len(RESOLUTIONS):
            self._waiting.pop(name, None)
        else:
            self._waiting[name] = line

    def _is_due(self, line: _Line, resolution: str, now_s: float) -> bool:
        passed_s = now_s - line.candles_s.get(resolution, NEVER_S)
        if passed_s < UNHEARD_INTERVAL_S and not self._is_heard(line.rules.product.name, resolution):
            return False
        return passed_s >= CANDLE_INTERVAL_S

    def _announce_candle(self, line: _Line, candle: Candle, now_s: float) -> None:
        line.candles_s[candle.resolution] = now_s
        self._announce(candle)

    def _note_close(self, line: _Line, candle: Candle) -> None:
        if candle.resolution == "1":
            ended_ms = candle.start_s * 1000 + MINUTE_MS
            line.day_ago.add(ended_ms, candle.mid[3])
            line.closed_until_ms = max(line.closed_until_ms, ended_ms)

    def _judge_state(self, line: _Line, feed_ms: int, now_s: float) -> None:
        state = self._state(line, feed_ms, now_s)
        if state != line.state:
            line.state = state
            self._announce(MarketStatus(line.rules.product.name, state))

    def _state(self, line: _Line, feed_ms: int, now_s: float) -> State:
        if line.rules.product.halted:
            return "halted"
        if not is_open(line.rules.hours, feed_ms):
            return "closed"
        return "stale" if line.source == "" or self._silent(line, now_s) else "open"

    def _silent(self, line: _Line, now_s: float) -> bool:
        """Tell whether a product's source has not been heard of; a running replay has long pauses of its own."""
        if self.replaying and line.source == REPLAY_SOURCE:
            return False
        return now_s - line.heard_s > self._stale_after_s


def _closed_ms(wall_ms: int) -> int:
    """Return the end of the newest live minute that is closed by now."""
    return (wall_ms - CLOSE_DELAY_MS) // MINUTE_MS * MINUTE_MS
