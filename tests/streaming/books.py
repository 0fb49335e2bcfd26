"""Accounts behind the gate, in memory: a log is what was committed, whether or not anybody was told."""

import asyncio
import itertools
import json
import uuid
from collections import defaultdict

from accounts.errors import Code, Refused
from engine.values import AccountId
from streaming.messages import PrivateEvent

LIVE, DEMO = AccountId("live", 7), AccountId("demo", 7)
EPOCH = "5d0c7a3e-3a0e-4f43-9a53-1f2f6f0a8c11"
ORDER = "bf2b704c-010a-48ca-93fb-d0193f24420a"

KINDS = ("head", "page", "resumable", "snapshot", "trade", "cancel_orders")
BALANCE = '{"BTC":"10.00000000"}'


def about(trade_id, **fields):
    """Return the data of an event about an order or a position."""
    return json.dumps({"id": trade_id, "product": "EUR-USD", **fields}, separators=(",", ":"))


class Book:
    """A gate whose answers a test can hold up, refuse or break."""

    def __init__(self):
        self.epoch = EPOCH
        self.logs = defaultdict(list)
        self.pruned = defaultdict(int)  # account -> the newest offset that is not kept any more
        self.failures = []
        self.held_up: frozenset[str] = frozenset()
        self.waiting = []
        self.calls = []
        self.cancelled = []
        self._ids = itertools.count(1)

    # ---- what happens

    def commit(self, account, *events):
        """Put events (name, or name and data) into an account's log and return them; nobody is told."""
        new = []
        for event in events:
            name, data = (event, None) if isinstance(event, str) else event
            if data is None:
                data = BALANCE if name == "balance" else about(str(uuid.UUID(int=next(self._ids))))
            new.append(PrivateEvent(account.environment, account.user_id, self.offset(account) + 1, name, data))
            self.logs[account].append(new[-1])
        return new

    def lose(self, account, after):
        """Go back to an earlier state of an account, as a restored backup does: another history begins."""
        self.epoch = str(uuid.uuid5(uuid.UUID(self.epoch), "restored"))
        del self.logs[account][after:]

    def offset(self, account):
        return len(self.logs[account])

    def fail(self, *errors, kind=""):
        """Answer the next calls (of a kind) with these, one each."""
        self.failures += [(kind, error) for error in errors]

    def hold_up(self, *kinds):
        """Answer calls (of some kinds) only when they are let go."""
        self.held_up = frozenset(kinds or KINDS)

    def go_on(self):
        """Answer at once again; what waits still waits."""
        self.held_up = frozenset()

    def let_go(self, which=0):
        answer = self.waiting.pop(which)
        if not answer.done():  # else nobody waits for it any more
            answer.set_result(None)

    # ---- the gate

    async def head(self, accounts):
        await self._asked("head", *accounts)
        return self.epoch, {account: self.offset(account) for account in accounts}

    async def page(self, account, after, limit):
        await self._asked("page", account, after)
        return self.logs[account][max(after, self.pruned[account]) : after + limit]

    async def resumable(self, account, after, epoch):
        await self._asked("resumable", account)
        return epoch == self.epoch and self.pruned[account] <= after <= self.offset(account)

    async def snapshot(self, account):
        await self._asked("snapshot", account)
        return self.offset(account), snapshot_data(self.offset(account))

    async def trade(self, identity, action, environment, params, trade_id):
        await self._asked("trade", action, environment, params, trade_id)
        return about(params.get("id", trade_id), type=params.get("type", "market"))

    async def cancel_orders(self, identity, environment, ids):
        await self._asked("cancel_orders", environment)
        self.cancelled += [(environment, order_id) for order_id in ids]

    async def _asked(self, *call):
        self.calls.append(call)
        await asyncio.sleep(0)  # as every database does: who asks for ever must not stop the test
        if call[0] in self.held_up:
            self.waiting.append(asyncio.get_running_loop().create_future())
            await self.waiting[-1]
        for failure in self.failures:
            if failure[0] in ("", call[0]):
                self.failures.remove(failure)
                raise failure[1]

    def asked(self, kind):
        return [call[1:] for call in self.calls if call[0] == kind]


def snapshot_data(offset):
    return f'{{"orders":[],"positions":[],"balances":{{"BTC":"{offset}.00000000"}}}}'


def unavailable():
    return Refused(Code.UNAVAILABLE)
