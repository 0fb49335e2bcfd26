"""A client that trades without a pause, and knows of everything it has asked for whether it was done.

What it is not told it finds out: it looks the order up by its `client_order_id` and posts it again, twice. Whatever has
happened, there must be one order, and both answers the same.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import Any

from tests.crashes.account import Account, Done, Placed
from tests.crashes.course import Course
from tests.crashes.places import PRODUCTS
from tests.crashes.ways import Quotes, RestWay, Way
from tests.crashes.wire import AGAIN_S, Answer, NoAnswer, NotSent, query

PAUSE_S = 0.1
"""Between two requests, on average."""

FLAT_S = 30.0
"""An account that cannot be brought to rest in this time never will be."""

MAX_OPEN = 50
"""From here on a trader rather closes and cancels."""

UNEXPECTED = (
    "internal_error",
    "not_found",
    "invalid_parameter",
    "invalid_number",
    "invalid_message",
    "client_order_id_reused",
)
"""Refusals that a trader who only asks for what it knows of must not meet."""

_numbers = itertools.count(1)


class Trader:
    """One way's trades of an account; several may trade one account at once."""

    def __init__(
        self, course: Course, account: Account, way: Way, look_up: RestWay, quotes: Quotes, chance: Random
    ) -> None:
        self._course, self._account, self._way, self._look_up = course, account, way, look_up
        self._quotes, self._chance = quotes, chance

    async def run(self) -> None:
        """Trade until the trial settles."""
        while not self._course.settling:
            if self._quotes:
                await self._act()
            await asyncio.sleep(self._chance.expovariate(1 / PAUSE_S))

    async def flatten(self) -> None:
        """Cancel and close what a quote could reach: after that the account stands still."""
        deadline_s = time.monotonic() + FLAT_S
        while ends := self._ends():
            if time.monotonic() > deadline_s:
                self._course.fail(f"{self._account.name} could not end {ends}")
            for action, identifier in ends:
                await self._other(action, {"id": identifier})
            await asyncio.sleep(0.1)

    def _ends(self) -> list[tuple[str, str]]:
        view = self._account.view
        reachable = [
            position["id"]
            for position in view.positions.values()
            if Decimal(position["leverage"]) > 2 or "take_profit" in position or "stop_loss" in position
        ]
        return [("cancel", identifier) for identifier in view.orders] + [("close", one) for one in reachable]

    # ---- what to do next

    async def _act(self) -> None:
        view = self._account.view
        ending = 3 if len(view.orders) + len(view.positions) > MAX_OPEN else 1
        (what,) = self._chance.choices(
            (self._place, self._close, self._cancel, self._update, self._split, self._repeat),
            weights=(12, 6 * ending, 3 * ending, 3, 1, 2),
        )
        await what()

    async def _place(self) -> None:
        placed = Placed(self._order())
        self._account.placed[placed.client_order_id] = placed
        try:
            placed.answer = await self._asked("new", placed.params)
        except NotSent:
            del self._account.placed[placed.client_order_id]
            await asyncio.sleep(PAUSE_S)
        except NoAnswer as unknown:
            self._unknown("new", placed.client_order_id, unknown)
            await self._resolve(placed)

    async def _close(self) -> None:
        if self._account.view.positions:
            await self._other("close", {"id": self._chance.choice(list(self._account.view.positions))})

    async def _cancel(self) -> None:
        if self._account.view.orders:
            await self._other("cancel", {"id": self._chance.choice(list(self._account.view.orders))})

    async def _split(self) -> None:
        if self._account.view.positions:
            identifier = self._chance.choice(list(self._account.view.positions))
            await self._other("split", {"id": identifier, "ratio": self._chance.choice(("40:60", "5:95", "50:50"))})

    async def _update(self) -> None:
        trades = [*self._account.view.orders.values(), *self._account.view.positions.values()]
        if not trades:
            return
        trade = self._chance.choice(trades)
        changes: list[dict[str, str]] = [{"take_profit": "0", "stop_loss": "0"}, self._exits(trade)]
        if trade["id"] in self._account.view.orders:
            changes.append({"price": self._near(trade["price"])})
        else:
            changes.append({"margin": str(Decimal(trade["margin"]) + Decimal("0.0001"))})
        await self._other("update", {"id": trade["id"], **self._chance.choice(changes)})

    async def _repeat(self) -> None:
        """Ask for an order of before once more, as it was or (refused) otherwise."""
        known = [placed for placed in self._account.placed.values() if placed.answer is not None]
        if not known:
            return
        placed = self._chance.choice(known)
        changed = self._chance.random() < 0.2
        params = {**placed.params, "amount": placed.params["amount"] + 1} if changed else placed.params
        expected = Answer(code="client_order_id_reused") if changed else placed.answer
        try:
            answer = await self._way.ask("new", params)
        except NoAnswer:
            return
        self._course.tally.repeated += 1
        if answer != expected:
            self._course.fail(f"{placed.client_order_id} was answered {expected}, and then {answer} ({changed=})")

    # ---- asking

    async def _asked(self, action: str, params: dict[str, Any]) -> Answer:
        asked_s = time.monotonic()
        answer = await self._way.ask(action, params)
        if not answer.code:
            self._course.acknowledged(asked_s)
        else:
            self._refused(action, params, answer.code)
        return answer

    async def _other(self, action: str, params: dict[str, Any]) -> None:
        """Ask for something that has no `client_order_id`: after an unknown outcome, look at what it was about."""
        try:
            answer = await self._asked(action, params)
        except NotSent:
            await asyncio.sleep(PAUSE_S)
        except NoAnswer as unknown:
            self._unknown(action, params["id"], unknown)
            found = await self._until_answered(lambda: self._look_up.call("GET", _outcome(id=params["id"])))
            if found.code:
                self._course.fail(f"{action} {params}: nobody knew what became of it, and it is {found.code}")
            self._course.tally.resolved[action] += 1
        else:
            if not answer.code:
                self._account.done.append(Done(action, params["id"], answer.text))

    async def _resolve(self, placed: Placed) -> None:
        """Find out what became of an order."""
        placed.was_unknown = True
        client_order_id = placed.client_order_id
        found = await self._until_answered(lambda: self._look_up.call("GET", _outcome(client_order_id=client_order_id)))
        first = await self._until_answered(lambda: self._way.ask("new", placed.params))
        again = await self._until_answered(lambda: self._look_up.ask("new", placed.params))
        placed.answer = first
        self._course.note(f"{client_order_id} was {'not done' if found.code else 'done'}; posted again: {first.brief}")
        if first != again:
            self._course.fail(f"{client_order_id} was answered {first}, and then {again}")
        if not found.code and not is_outcome(found.data, first):
            self._course.fail(f"{client_order_id} was found as {found}, and then answered {first}")
        if found.code not in ("", "not_found"):
            self._course.fail(f"{client_order_id} could not be looked up: {found.code}")
        self._course.tally.resolved["new, done" if not found.code else "new, not done"] += 1

    async def _until_answered(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Ask again until there is an answer; how long a server may be away is the killer's to judge."""
        while True:
            try:
                return await ask()
            except NoAnswer:
                await asyncio.sleep(self._chance.uniform(*AGAIN_S))

    def _unknown(self, action: str, what: str, unknown: NoAnswer) -> None:
        self._course.tally.unknown[action] += 1
        self._course.note(f"unknown outcome over {self._way.name}: {action} {what} ({unknown})")

    def _refused(self, action: str, params: dict[str, Any], code: str) -> None:
        self._course.tally.refused[code] += 1
        if code in UNEXPECTED:
            self._course.fail(f"{action} {params} of {self._account.name} was refused over {self._way.name}: {code}")

    # ---- orders

    def _order(self) -> dict[str, Any]:
        product = self._chance.choice([product for product in PRODUCTS if product in self._quotes])
        leverage = self._chance.choice((1, 2, 10, 50, 100))
        margin = 12 if self._chance.random() < 0.03 else self._chance.uniform(0.002, 0.02)
        order: dict[str, Any] = {
            "product": product, "side": self._chance.choice(("buy", "sell")), "type": "market",
            "leverage": str(leverage), "amount": max(1, int(margin * leverage * 1_000)),
            "client_order_id": f"{self._account.name}-{next(_numbers)}",
        }  # fmt: skip
        bid, ask = self._quotes[product]
        price = ask if order["side"] == "buy" else bid
        if self._chance.random() < 0.35:
            price = self._near(price)
            order |= {"type": "pending", "price": price}
        if self._chance.random() < 0.3:
            order |= self._exits({**order, "price": price})
        return order

    def _near(self, price: str) -> str:
        """Return a price that the market may reach soon, or not."""
        return moved(price, self._chance.choice((-1, 1)) * self._chance.choice((0.0002, 0.001, 0.02)))

    def _exits(self, trade: dict[str, Any]) -> dict[str, str]:
        sign = 1 if trade["side"] == "buy" else -1
        far = self._chance.choice((0.05, 0.3)) / float(trade["leverage"])
        exits = {"take_profit": moved(trade["price"], sign * far), "stop_loss": moved(trade["price"], -sign * far)}
        return {name: exits[name] for name in self._chance.choice((("take_profit",), ("stop_loss",), tuple(exits)))}


def moved(price: str, part: float) -> str:
    """Return a price moved by a part of itself, with its digits.

    >>> moved("1.26635", 0.001), moved("1.26635", -0.001)
    ('1.26762', '1.26508')
    """
    exact = Decimal(price)
    return format((exact * (1 + Decimal(repr(part)))).quantize(exact), "f")


def is_outcome(found: dict[str, Any], answer: Answer) -> bool:
    """Tell whether a look-up says the same as the answer that the order got.

    >>> is_outcome({"status": "pending", "order": {"id": "a7"}}, Answer('{"id":"a7"}'))
    True
    >>> is_outcome({"status": "refused", "code": "halted", "message": ""}, Answer('{"id":"a7"}'))
    False
    """
    if found["status"] == "refused":
        return bool(found["code"] == answer.code)
    trade = found.get("order") or found["position"]
    return not answer.code and bool(trade["id"] == json.loads(answer.text)["id"])


def _outcome(**what: str) -> str:
    return query("/trading/trade", **what)
