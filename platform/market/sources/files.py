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
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from engine.values import Tick, parse_number

HISTDATA_OFFSET_MS = 5 * 3_600_000
"""HistData's clock is UTC-5 without summer time."""

BAR_TICK_MS = 15_000
"""A bar becomes four ticks, open, high, low and close of both sides together, 15 s apart."""

_HISTDATA = re.compile(r"(\d{8}) (\d{9}),([^,]+),([^,]+),[^,]*", re.ASCII)
_SYMBOL = re.compile(r"[A-Za-z]+")


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
    sides: dict[str, dict[str, Path]] = {}
    for text in texts:
        symbol, separator, name = text.rpartition("=")
        path = Path(name).expanduser()
        if not path.is_file():
            raise SourceInvalid(f"There is no file {name}.")
        symbol = symbol if separator else _symbol_of(path)
        layout = _layout(path)
        if layout == "bars":
            sides.setdefault(symbol, {})[_side(path)] = path
        else:
            found.append(ReplayFile(symbol, layout, path))
    for symbol, pair in sides.items():
        if set(pair) != {"bid", "ask"}:
            raise SourceInvalid(f"{symbol}: bars need two files, one with bid and one with ask in its name.")
        found.append(ReplayFile(symbol, "bars", pair["bid"], pair["ask"]))
    return tuple(found)


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
            stamp, *prices = line.split(",")
            yield _iso_ms(stamp), [parse_number(price) for price in prices[:4]]
        except ValueError:
            raise _unreadable(path, number) from None


def _iso_ms(text: str) -> int:
    stamp = datetime.fromisoformat(text)
    return round((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp() * 1000)


def _lines(path: Path, *, header: bool) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if text and not (header and number == 1):
                yield number, text


def _layout(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline().strip()
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
    for side in ("bid", "ask"):
        if side in path.name.lower():
            return side
    raise SourceInvalid(f"{path}: bars need bid or ask in the file's name.")


def _symbol_of(path: Path) -> str:
    match = _SYMBOL.match(path.name)
    if match is None:
        raise SourceInvalid(f"{path}: which product is it? Write SYMBOL={path}.")
    return match[0].upper()


def _unreadable(path: Path, number: int) -> SourceInvalid:
    return SourceInvalid(f"{path}, line {number} cannot be read.")
