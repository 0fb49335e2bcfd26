"""Recorded markets on disk: what a file is, and its ticks in order.

| layout | line |
| --- | --- |
| HistData ASCII | `YYYYMMDD HHMMSSmmm,bid,ask,volume`, UTC-5 all year |
| ISO | `timestamp,bid,ask` with a header and ISO 8601 stamps |
| bars | `timestamp,open,high,low,close`, one file for the bid and one for the ask (`bid` or `ask` in the name) |
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from engine.values import Tick, parse_number

HISTDATA_OFFSET_MS = 5 * 3_600_000
"""HistData's clock is UTC-5 without summer time."""

BAR_TICK_MS = 15_000
"""A bar becomes four ticks, open, high, low and close of both sides together, 15 s apart."""

_HISTDATA = re.compile(r"(\d{8}) (\d{9}),([^,]+),([^,]+),[^,]*", re.ASCII)
_SYMBOL = re.compile(r"[A-Za-z]+")
_NAMED = re.compile(r"(?:([A-Za-z0-9._-]{1,32})=)?(.*)", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class SourceInvalid(ValueError):
    """A source that cannot be used; the message says why, for whoever starts the server."""


@dataclass(frozen=True, slots=True)
class ReplayFile:
    """One recorded product: `path`, and for bars the ask's file beside the bid's."""

    symbol: str
    layout: str
    path: Path
    ask_path: Path | None = None


def find_files(texts: list[str]) -> tuple[ReplayFile, ...]:
    """Return the files of `[SYMBOL=]FILE` texts; a bid and an ask file of bars make one. Raises `SourceInvalid`."""
    found: list[ReplayFile] = []
    # symbol -> side -> files of bars, in the order given: the first bid belongs to the first ask
    sides: dict[str, dict[str, list[Path]]] = {}
    for text in texts:
        symbol, path = _named(text)
        layout = _layout(path)
        if layout == "bars":
            sides.setdefault(symbol, {"bid": [], "ask": []})[_side(path)].append(path)
        else:
            found.append(ReplayFile(symbol, layout, path))
    for symbol, pairs in sides.items():
        if len(pairs["bid"]) != len(pairs["ask"]):
            raise SourceInvalid(f"{symbol}: bars need two files, one with bid and one with ask in its name.")
        for bid, ask in zip(pairs["bid"], pairs["ask"], strict=True):
            found.append(ReplayFile(symbol, "bars", bid, ask))
    return tuple(found)


def _named(text: str) -> tuple[str, Path]:
    match = _NAMED.fullmatch(text)
    assert match is not None
    path = Path(match[2]).expanduser()
    if not path.is_file():
        raise SourceInvalid(f"There is no file {match[2]}.")
    return match[1] or _symbol_of(path), path


def ticks(file: ReplayFile) -> Iterator[Tick]:
    """Read a file's ticks one after another; raises `SourceInvalid` with the line of what cannot be read."""
    if file.layout == "bars":
        yield from _bar_ticks(file)
        return
    read = _histdata_tick if file.layout == "histdata" else _iso_tick
    for number, line in _lines(file.path, header=file.layout == "iso"):
        try:
            yield read(file.symbol, line)
        except (ValueError, IndexError):
            raise _unreadable(file.path, number) from None


def _histdata_tick(symbol: str, line: str) -> Tick:
    match = _HISTDATA.fullmatch(line)
    if match is None:
        raise ValueError(line)
    day, clock = match[1], match[2]
    stamp = datetime(
        int(day[:4]), int(day[4:6]), int(day[6:]), int(clock[:2]), int(clock[2:4]), int(clock[4:6]), tzinfo=UTC
    )
    time_ms = int(stamp.timestamp()) * 1000 + int(clock[6:]) + HISTDATA_OFFSET_MS
    return Tick(symbol, parse_number(match[3]), parse_number(match[4]), time_ms)


def _iso_tick(symbol: str, line: str) -> Tick:
    stamp, bid, ask = line.split(",")[:3]
    return Tick(symbol, parse_number(bid), parse_number(ask), _iso_ms(stamp))


def _bar_ticks(file: ReplayFile) -> Iterator[Tick]:
    assert file.ask_path is not None
    asks = _bars(file.ask_path)
    ask_bar = next(asks, None)
    for start_ms, bid in _bars(file.path):
        while ask_bar is not None and ask_bar[0] < start_ms:
            ask_bar = next(asks, None)
        if ask_bar is not None and ask_bar[0] == start_ms:
            for index, (bid_price, ask_price) in enumerate(zip(bid, ask_bar[1], strict=True)):
                yield Tick(file.symbol, bid_price, ask_price, start_ms + index * BAR_TICK_MS)


def _bars(path: Path) -> Iterator[tuple[int, list[Decimal]]]:
    for number, line in _lines(path, header=True):
        try:
            stamp, first, high, low, close = line.split(",")[:5]
            yield _iso_ms(stamp), [parse_number(price) for price in (first, high, low, close)]
        except ValueError:
            raise _unreadable(path, number) from None


def _iso_ms(text: str) -> int:
    stamp = datetime.fromisoformat(text)
    # Down, not to the nearest: a stamp must not move into the next candle.
    return ((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


def _lines(path: Path, *, header: bool) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if text and not (header and number == 1):
                yield number, text


def _layout(path: Path) -> str:
    first = next((line for _, line in _lines(path, header=False)), "")
    if _HISTDATA.fullmatch(first):
        return "histdata"
    columns = [column.strip().lower() for column in first.split(",")]
    if columns[1:5] == ["open", "high", "low", "close"]:
        return "bars"
    if columns[:3] == ["timestamp", "bid", "ask"]:
        return "iso"
    raise SourceInvalid(
        f"{path} is none of the known layouts (HistData ASCII; timestamp,bid,ask; timestamp,open,high,low,close)."
    )


def _side(path: Path) -> str:
    sides = [side for side in ("bid", "ask") if side in path.name.lower()]
    if len(sides) != 1:
        raise SourceInvalid(f"{path}: bars need bid or ask in the file's name.")
    return sides[0]


def _symbol_of(path: Path) -> str:
    match = _SYMBOL.match(path.name)
    if match is None:
        raise SourceInvalid(f"{path}: which product is it? Write SYMBOL={path}.")
    return match[0].upper()


def _unreadable(path: Path, number: int) -> SourceInvalid:
    return SourceInvalid(f"{path}, line {number} cannot be read.")
