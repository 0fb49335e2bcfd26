"""What does an account's log say of its orders and positions? Each one's life, from its beginning to its one end.

Read from the events alone, without the engine: `audit.py` compares it with the rows and the ledger.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from market.fields import MONEY_PLACES, to_scaled

Flow = Counter[tuple[int, str, str]]
"""(journal serial, trade's id, ledger account) -> satoshis that arrived there for that trade."""


@dataclass(slots=True)
class Life:
    """A trade as it was told last (`told`), with the journal serials that made and changed it."""

    status: str
    told: str
    made: int
    changed: int
    parent: str = ""
    part: int = 0
    ended_ms: int | None = None


class Lives:
    """`orders`, `positions`: id -> life. `expected`: the money that has to have moved. `wrong`: what cannot be."""

    def __init__(self) -> None:
        self.orders: dict[str, Life] = {}
        self.positions: dict[str, Life] = {}
        self.expected: Flow = Counter()
        self.wrong: list[str] = []
        self._to_open: dict[str, int] = {}

    def add(self, serial: int, time_ms: int, name: str, data: str) -> None:
        """Take in the next event of the account; `balance` is not about a trade."""
        if name == "balance":
            return
        rule = _RULES.get(name)
        try:
            event = json.loads(data)
            problem = f"{name} is no event" if rule is None else rule(self, event, data, serial, time_ms)
        except (ValueError, KeyError, TypeError, ArithmeticError):
            problem = f"{name} cannot be read"
        if problem:
            self.wrong.append(f"journal entry {serial}: {problem}")

    def finish(self) -> None:
        self.wrong += [
            f"journal entry {serial}: order {identifier} was activated, and no position opened"
            for identifier, serial in self._to_open.items()
        ]

    # ---- orders

    def _order_new(self, event: dict[str, Any], data: str, serial: int, _time_ms: int) -> str:
        identifier = event["id"]
        if identifier in self.orders:
            return f"order {identifier} is placed twice"
        self.orders[identifier] = Life("open", data, serial, serial)
        self._lock(serial, identifier, _money(event, "margin"))
        return ""

    def _order_update(self, event: dict[str, Any], data: str, serial: int, _time_ms: int) -> str:
        return self._update(self.orders.get(event["id"]), event, data, serial)

    def _order_end(self, status: str, event: dict[str, Any], data: str, serial: int, time_ms: int) -> Life | None:
        life = self.orders.get(event["id"])
        if life is None or life.status != "open":
            return None
        product = json.loads(life.told)["product"]
        if data != f'{{"id":"{event["id"]}","product":"{product}"}}':
            return None
        life.status, life.ended_ms, life.changed = status, time_ms, serial
        return life

    def _order_activate(self, event: dict[str, Any], data: str, serial: int, time_ms: int) -> str:
        if self._order_end("activated", event, data, serial, time_ms) is None:
            return f"order {event['id']} is activated, which is not open"
        self._to_open[event["id"]] = serial
        return ""

    def _order_cancel(self, event: dict[str, Any], data: str, serial: int, time_ms: int) -> str:
        life = self._order_end("cancelled", event, data, serial, time_ms)
        if life is None:
            return f"order {event['id']} is cancelled, which is not open"
        self._lock(serial, event["id"], -_money(json.loads(life.told), "margin"))
        return ""

    # ---- positions

    def _position_new(self, event: dict[str, Any], data: str, serial: int, _time_ms: int) -> str:
        if self._to_open.pop(event["id"], None) != serial or event["id"] in self.positions:
            return f"position {event['id']} is opened without its order"
        self.positions[event["id"]] = Life("open", data, serial, serial)
        return ""

    def _position_update(self, event: dict[str, Any], data: str, serial: int, _time_ms: int) -> str:
        return self._update(self.positions.get(event["id"]), event, data, serial)

    def _position_close(self, event: dict[str, Any], data: str, serial: int, time_ms: int) -> str:
        life = self.positions.get(event["id"])
        if life is None or life.status != "open":
            return f"position {event['id']} is closed, which is not open"
        life.status, life.ended_ms, life.told, life.changed = "closed", time_ms, data, serial
        margin, pnl, decay = (_money(event, key) for key in ("margin", "pnl", "decay"))
        rest = margin + pnl - decay
        moves = {
            "user.margin": -margin, "user.cash": max(0, rest), "house.pnl": -pnl, "house.decay": decay,
            "house.insurance": min(0, rest),
        }  # fmt: skip
        for place, amount in moves.items():
            self.expected[serial, event["id"], place] += amount
        return ""

    def _position_split(self, event: dict[str, Any], _data: str, serial: int, time_ms: int) -> str:
        parent_id = event["parent_id"]
        parent = self.positions.get(parent_id)
        if parent is None or parent.status != "open":
            return f"position {parent_id} is split, which is not open"
        parent.status, parent.ended_ms, parent.changed = "split", time_ms, serial
        parts = [event["first_position"], event["second_position"]]
        for part, child in enumerate(parts, 1):
            if child["id"] in self.positions:
                return f"position {child['id']} is there already"
            self.positions[child["id"]] = Life("open", _text(child), serial, serial, parent_id, part)
        whole = json.loads(parent.told)
        if sum(_money(part, "margin") for part in parts) != _money(whole, "margin"):
            return f"position {parent_id} is split, and the parts' margins are not its own"
        if sum(part["amount"] for part in parts) != whole["amount"]:
            return f"position {parent_id} is split, and the parts' amounts are not its own"
        return ""

    # ---- both

    def _update(self, life: Life | None, event: dict[str, Any], data: str, serial: int) -> str:
        if life is None or life.status != "open":
            return f"{event['id']} is updated, which is not open"
        self._lock(serial, event["id"], _money(event, "margin") - _money(json.loads(life.told), "margin"))
        life.told, life.changed = data, serial
        return ""

    def _lock(self, serial: int, identifier: str, amount: int) -> None:
        self.expected[serial, identifier, "user.margin"] += amount
        self.expected[serial, identifier, "user.cash"] -= amount


def _money(event: Mapping[str, Any], key: str) -> int:
    return to_scaled(Decimal(event[key]), MONEY_PLACES)


def _text(part: Mapping[str, Any]) -> str:
    """Return a part of a split as it stood in the event's text."""
    return json.dumps(part, separators=(",", ":"))


_RULES: Mapping[str, Callable[[Lives, dict[str, Any], str, int, int], str]] = {
    "order:new": Lives._order_new,
    "order:update": Lives._order_update,
    "order:activate": Lives._order_activate,
    "order:cancel": Lives._order_cancel,
    "position:new": Lives._position_new,
    "position:update": Lives._position_update,
    "position:close": Lives._position_close,
    "position:split": Lives._position_split,
}
"""The events about trades, each with what it changes; a rule returns what is wrong, or nothing."""
