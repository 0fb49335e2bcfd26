"""What a client knows of a demo account: what it was answered, and what the account's events have told it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.crashes.wire import Answer, spelled
from tests.journeys.harness import Key


@dataclass(frozen=True, slots=True)
class Event:
    """A private event as a client got it; `data` is its JSON text, the keys in their order."""

    offset: int
    name: str
    data: str


@dataclass(slots=True)
class Placed:
    """An order that was asked for. `answer` is the first one; None while the outcome is not known."""

    params: dict[str, Any]
    answer: Answer | None = None
    was_unknown: bool = False

    @property
    def client_order_id(self) -> str:
        return str(self.params["client_order_id"])

    @property
    def accepted(self) -> bool:
        return self.answer is not None and not self.answer.code


@dataclass(frozen=True, slots=True)
class Done:
    """A close, cancel, update or split that was acknowledged, and the result's text."""

    action: str
    id: str
    text: str


@dataclass(slots=True)
class View:
    """What is open according to the events alone: id -> the object, as the newest event has it."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    positions: dict[str, dict[str, Any]] = field(default_factory=dict)
    balance: str = ""

    def take(self, name: str, data: dict[str, Any]) -> None:
        """Take an event of the demo account in."""
        match name:
            case "balance_demo":
                self.balance = spelled(data)
            case "order_demo:new" | "order_demo:update":
                self.orders[data["id"]] = data
            case "order_demo:cancel" | "order_demo:activate":
                del self.orders[data["id"]]
            case "position_demo:new" | "position_demo:update":
                self.positions[data["id"]] = data
            case "position_demo:close":
                del self.positions[data["id"]]
            case "position_demo:split":
                del self.positions[data["parent_id"]]
                for part in (data["first_position"], data["second_position"]):
                    self.positions[part["id"]] = part
            case _:
                raise ValueError(f"an unknown event: {name}")


@dataclass(slots=True)
class Account:
    """A user's demo account; `placed`: client_order_id -> the order."""

    name: str
    key: Key
    placed: dict[str, Placed] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    view: View = field(default_factory=View)

    def accepted(self) -> Iterator[Placed]:
        return (placed for placed in self.placed.values() if placed.accepted)
