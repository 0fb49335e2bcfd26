"""How does the shell ask the engine for something? By a row of the inbox, which it does itself if no engine runs."""

import os
import time
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import Refused
from accounts.models import ENVIRONMENTS
from engine.commands import Input
from engine.wire import money
from trading.inbox import commands_of, inbox_answer, inbox_put, inbox_wait, told
from trading.journal import Fenced, Journal
from trading.lease import take_lease
from trading.live import Answer
from trading.load import load_book
from trading.models import Balance, InboxCommand
from trading.rows import rows_to_write

ENGINE_WAIT_S = 10.0
"""How long a running engine may take: it looks every 250 ms, and a standby takes over within 5 s."""

TRY_S = 0.25
"""How often to see whether the engine has gone meanwhile."""


class AskingCommand(BaseCommand):
    """Asks for its `kind` with those of its options that the inbox knows."""

    kind: ClassVar[str]
    # They say nothing about money, and take longer than moving it.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        params = {name: options[name] for name in ("user", "environment", "amount", "id", "product") if name in options}
        try:
            row = answered(inbox_put(self.kind, params, None))
        except Refused as refused:
            raise CommandError(f"{refused.code}: {refused.message}") from None
        if row.status == "waiting":
            raise CommandError(
                f"An engine is at work but has not answered within {ENGINE_WAIT_S:g} s. "
                f"The command stays in the inbox, as {row.pk}, and will be done: do not ask again."
            )
        if row.status == "refused":
            raise CommandError(told(row))
        self.stdout.write(result(row))


def answered(row: InboxCommand) -> InboxCommand:
    """Return the row as the engine has answered it, or, where none runs, as we have; as it is after `ENGINE_WAIT_S`."""
    until_s = time.monotonic() + ENGINE_WAIT_S
    while not apply_here(row, now_ms=time.time_ns() // 1_000_000):
        (row,) = inbox_wait([row.pk], TRY_S)
        if row.status != "waiting" or time.monotonic() >= until_s:
            return row
    row.refresh_from_db()
    return row


def apply_here(row: InboxCommand, *, now_ms: int) -> bool:
    """Do a row where no engine runs; return False where one does, which will do it itself.

    There are no prices here: a close is refused (`price_outdated`), a reset closes positions where they were opened.
    """
    lease = take_lease(f"manage.py {os.getpid()}")
    if lease is None:
        return False
    try:
        row.refresh_from_db()
        if row.status == "waiting":
            _apply(row, fence=lease.fence, now_ms=now_ms)
    except Fenced:
        return False  # an engine has taken us for one that hangs
    finally:
        lease.release()
    return True


def _apply(row: InboxCommand, *, fence: int, now_ms: int) -> None:
    try:
        commands = commands_of(row)
    except Refused as refused:
        inbox_answer(row.pk, Answer(code=str(refused.code), message=refused.message))
        return
    book = load_book()
    records = [book.handle(Input(command, now_ms)) for command in commands]
    with Journal() as journal:
        answer = records[-1].answer
        journal.write(rows_to_write(records), fence, [(row.pk, answer.code, answer.words)])


def result(row: InboxCommand) -> str:
    """Return what is so now: an account's balance, or a product's state."""
    params = row.params
    if "product" in params:
        return f"{params['product']} {'is halted' if row.kind == 'halt' else 'trades'}."
    balance = Balance.objects.get(user_id=params["user_id"], environment=params["environment"])
    free, locked = money(balance.cash), money(balance.margin)
    return f"{params['user']} {params['environment']}: {free} {balance.currency} free, {locked} in margin"


def add_account(parser: CommandParser) -> None:
    parser.add_argument("user", help="the user's name")


def add_movement(parser: CommandParser) -> None:
    add_account(parser)
    parser.add_argument("amount", help="in BTC, such as 1.5")
    parser.add_argument("--env", dest="environment", choices=ENVIRONMENTS, default="live", help="default: live")
