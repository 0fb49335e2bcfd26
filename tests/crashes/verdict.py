"""What must be true in the end: of every acknowledgement, of every event, of the database and its laws."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from tests.crashes.account import Account, Event
from tests.crashes.course import Course
from tests.crashes.follower import KINDS, Follower, kind_of
from tests.crashes.places import Place
from tests.crashes.returning import impossible, whole_log
from tests.crashes.ways import RestWay
from tests.crashes.wire import Answer, NoAnswer, query, spelled

PAGE = 100
LOOKED_UP = 20
"""Orders of each account that are looked up over REST one by one; the database's rows are compared of all of them."""

_EVENTS = 'SELECT user_id, "offset", name, data FROM trading_accountevent ORDER BY user_id, "offset"'
_ENDS = {"order_demo:cancel", "order_demo:activate", "position_demo:close", "position_demo:split"}


class Verdict:
    """The checks of one account; `rest` reaches its owner's side of the server."""

    def __init__(self, course: Course, account: Account, followers: Iterable[Follower], rest: RestWay) -> None:
        self._course, self._account, self._rest = course, account, rest
        self._followers = list(followers)

    async def over_the_wire(self) -> None:
        """Compare what REST says with what the followers were told and the traders answered."""
        log = await self._log()
        self._compare_followers(log)
        self._compare_answers(log)
        await self._compare_state()
        await self._look_up()
        await self._come_back(log)

    async def _log(self) -> list[Event]:
        """Return the whole log, once every follower has been told all of it."""
        log: list[Event] = []
        while True:
            page = await self._get(query("/trading/events", after=len(log), limit=PAGE))
            log += [Event(one["offset"], one["event"], spelled(one["data"])) for one in page["events"]]
            if len(log) == page["offset"] and all(self._is_told(follower, log) for follower in self._followers):
                return log
            if not page["events"]:
                await asyncio.sleep(0.1)

    def _is_told(self, follower: Follower, log: list[Event]) -> bool:
        newest = max((event.offset for event in log if kind_of(event.name) in follower.kinds), default=0)
        return follower.position >= newest

    def _compare_followers(self, log: list[Event]) -> None:
        self._equal([event.offset for event in log], list(range(1, len(log) + 1)), "the log's offsets")
        for follower in self._followers:
            told = [event for event in log if event.offset > follower.start and kind_of(event.name) in follower.kinds]
            self._equal(follower.log, told, f"what {follower.name} was told, and the log")

    def _compare_answers(self, log: list[Event]) -> None:
        """Every acknowledgement has its event, with the same object; nobody's order is there twice, or unasked."""
        texts: dict[tuple[str, str], list[str]] = defaultdict(list)
        for event in log:
            data = json.loads(event.data)
            texts[event.name, data.get("id") or data.get("parent_id", "")].append(event.data)
        twice = {key for key, found in texts.items() if len(found) > 1 and key[0] in _ENDS | {"order_demo:new"}}
        self._equal(twice, set(), "what happened to one trade twice")
        orders = {json.loads(text)["client_order_id"]: text for (name, _), (text, *_) in texts.items()
                  if name == "order_demo:new"}  # fmt: skip
        asked = {placed.client_order_id: placed.answer.text for placed in self._account.accepted() if placed.answer}
        self._equal(orders, asked, "the orders in the log, and those that were acknowledged")
        for done in self._account.done:
            if not any(done.text in _answers(name, found) for name, found in _about(texts, done.action, done.id)):
                self._course.fail(f"{done} was acknowledged, and is not in the log of {self._account.name}")

    async def _compare_state(self) -> None:
        """The events applied to nothing give the state as REST reads it."""
        view = self._account.view
        for path, told in (("orders", view.orders), ("positions", view.positions)):
            rows = await self._get(query(f"/trading/{path}", limit=PAGE))
            self._equal(_by_id(rows), _texts(told), f"the {path}, and what events told")
        balances = spelled(await self._get(query("/trading/balances")))
        self._equal(balances, view.balance, "the balance, and the last event of it")

    async def _look_up(self) -> None:
        """Look up what was in doubt, and some of what was not."""
        orders = list(self._account.placed.values())
        in_doubt = [placed for placed in orders if placed.was_unknown]
        for placed in [*in_doubt[-LOOKED_UP:], *orders[:: len(orders) // LOOKED_UP + 1]]:
            found = await self._get(query("/trading/trade", client_order_id=placed.client_order_id))
            answer = placed.answer
            assert answer is not None
            if answer.code:
                self._equal((found["status"], found.get("code")), ("refused", answer.code), placed.client_order_id)
            else:
                self._equal(found["order"]["id"], answer.data["id"], placed.client_order_id)

    async def _come_back(self, log: list[Event]) -> None:
        """Whoever knows nothing yet is told everything; whoever cannot be right is told so, and what is."""
        port, epoch, view = self._course.any_port(Random(0)), self._followers[0].epoch, self._account.view
        recovered, told = await whole_log(port, self._account, epoch, len(log))
        self._equal((recovered, told), (True, log), "a resume from the beginning")
        state = (_texts(view.orders), _texts(view.positions), view.balance)
        for recovered, first in await impossible(port, self._account, epoch, len(log)):
            data = first["data"]
            given = (_by_id(data["orders"]), _by_id(data["positions"]), spelled(data["balances"]))
            said = (recovered, first["event"], first["offset"], given)
            self._equal(said, (False, "snapshot_demo", len(log), state), "an impossible resume")

    async def _get(self, path: str) -> Any:
        for _ in range(50):
            try:
                answer: Answer = await self._rest.call("GET", path)
            except NoAnswer:
                await asyncio.sleep(0.1)
                continue
            if answer.code:
                self._course.fail(f"GET {path} of {self._account.name} was refused: {answer.code}")
            return answer.data
        return self._course.fail(f"GET {path} of {self._account.name} had no answer")

    def _equal(self, found: object, expected: object, what: str) -> None:
        if found != expected:
            self._course.fail(f"{self._account.name}: {what}: {_difference(found, expected)}")


def compare_rows(course: Course, place: Place, accounts: Iterable[Account], followers: Iterable[Follower]) -> None:
    """Compare the database's own rows with what was acknowledged and told; all processes have ended."""
    owners = {str(name): int(key) for name, key in place.rows("SELECT username, id FROM accounts_user")}
    orders = _rows_by_owner(place, "SELECT user_id, id, client_order_id FROM trading_order")
    events = _rows_by_owner(place, _EVENTS)
    everybody = {follower.account.name: follower for follower in followers if follower.kinds == KINDS}
    for account in accounts:
        rows = Counter((str(row[0]).replace("-", ""), row[1]) for row in orders[owners[account.name]])
        asked = Counter(
            (placed.answer.data["id"].replace("-", ""), placed.client_order_id)
            for placed in account.accepted() if placed.answer
        )  # fmt: skip
        if rows != asked:
            course.fail(
                f"{account.name}: rows that nobody asked for {rows - asked}, orders without a row {asked - rows}"
            )
        told = [(event.offset, spelled(json.loads(event.data))) for event in everybody[account.name].log]
        kept = [(row[0], spelled(json.loads(row[2]))) for row in events[owners[account.name]]]
        if told != kept[len(kept) - len(told) :]:
            course.fail(f"{account.name}: the rows of its events: {_difference(kept, told)}")


def _rows_by_owner(place: Place, statement: str) -> dict[int, list[tuple[Any, ...]]]:
    rows: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for owner, *row in place.rows(statement):
        rows[owner].append(tuple(row))
    return rows


def _about(texts: dict[tuple[str, str], list[str]], action: str, identifier: str) -> Iterable[tuple[str, list[str]]]:
    """Yield the events that an acknowledged action may have made of a trade."""
    names = {
        "cancel": ["order_demo:cancel"],
        "close": ["position_demo:close"],
        "update": ["order_demo:update", "position_demo:update"],
        "split": ["position_demo:split"],
    }[action]
    return [(name, texts[name, identifier]) for name in names if (name, identifier) in texts]


def _answers(name: str, texts: list[str]) -> list[str]:
    """Return the results that go with events of this name."""
    shapes: dict[str, Callable[[Any], Any]] = {
        "order_demo:cancel": lambda data: {"id": data["id"]},
        "position_demo:split": lambda data: {"success": True, "data": data},
    }
    shape = shapes.get(name, lambda data: data)
    return [spelled(shape(json.loads(text))) for text in texts]


def _by_id(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["id"]: spelled(row) for row in rows}


def _texts(objects: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {identifier: spelled(data) for identifier, data in objects.items()}


def _difference(found: Any, expected: Any) -> str:
    """Return the first place at which two things differ."""
    if isinstance(found, list) and isinstance(expected, list):
        for index, (one, other) in enumerate(zip(found, expected, strict=False)):
            if one != other:
                return f"at {index}: {one} instead of {other}"
        return f"{len(found)} instead of {len(expected)}"
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
        return f"{len(keys)} differ, such as {keys[0]}: {found.get(keys[0])} instead of {expected.get(keys[0])}"
    return f"{found} instead of {expected}"
