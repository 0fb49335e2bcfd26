"""What do traders ask of the engine? Orders, positions, a demo account's new beginning: over REST and the socket alike.

A call without a `client_order_id` costs no query and no thread on its way to the engine.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from accounts.database import answered
from accounts.errors import Code, Refused
from accounts.identity import Identity
from engine.commands import CancelOrder, Command, OpenAccount, PlaceOrder, ResetAccount
from engine.values import AccountId, Environment
from streaming.identifiers import fresh_id
from trading import live, selectors
from trading.desk import RETRY_AFTER_MS
from trading.live import Answer
from trading.requests import Params, read

DATABASE_THREADS = 4
"""Threads for looking up what the engine does not remember: one client's must not hold up another's."""

_threads = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="trading-db")

_Result = TypeVar("_Result")


async def trade(identity: Identity, action: str, environment: Environment, params: Params, trade_id: str) -> str:
    """Have the engine do a trade call; return its answer, JSON text, after the commit. `trade_id`: of a new order.

    Raises `Refused`: of the access, the parameters, the engine; UNAVAILABLE where the outcome is not known.
    """
    account = permitted(identity, "trade", environment)
    command = read(action, params, account=account, first_id=trade_id, second_id=fresh_id())
    if isinstance(command, PlaceOrder):
        return _text(await _placed(command))
    answer = await _submitted(command)
    if answer.code == Code.NOT_FOUND:
        ended = await _in_thread(partial(selectors.how_it_ended, command))
        if ended is not None:
            raise Refused(ended)
    return _text(answer)


async def account_reset(identity: Identity) -> str:
    """Begin a demo account anew; return its balances, JSON text."""
    account = permitted(identity, "trade", "demo")
    return _text(await _opened(ResetAccount(account=account)))


async def cancel_orders(identity: Identity, environment: Environment, ids: Sequence[str]) -> None:
    """Cancel those of an account's orders that are pending still.

    Raises `Refused` (UNAVAILABLE) where the engine is away; asking again for all of them does no harm.
    """
    account = AccountId(environment, identity.user_id)
    for identifier in ids:
        answer = await _submitted(CancelOrder(account=account, id=identifier))
        if answer.code == Code.UNAVAILABLE:
            _text(answer)


def permitted(identity: Identity, scope: str, environment: Environment) -> AccountId:
    """Return whose money an identity may see or move; raises `Refused`: SCOPE_DENIED, ENVIRONMENT_DENIED."""
    if scope not in identity.scopes:
        raise Refused(Code.SCOPE_DENIED)
    if environment not in identity.environments:
        raise Refused(Code.ENVIRONMENT_DENIED)
    return AccountId(environment, identity.user_id)


async def _placed(command: PlaceOrder) -> Answer:
    """Return what became of an order: the first answer, where the engine may have forgotten that it gave one."""
    if command.client_order_id:
        first = await _in_thread(partial(selectors.first_answer, command))
        if first is not None:
            return first
    return await _opened(command)


async def _opened(command: PlaceOrder | ResetAccount) -> Answer:
    """Submit a command; an account that has never been used is opened for it.

    Asked only when the engine does not find the account: remembering here which ones are open could be wrong.
    """
    answer = await _submitted(command)
    if answer.code != Code.NOT_FOUND:
        return answer
    opened = await _submitted(OpenAccount(account=command.account))
    return opened if opened.code else await _submitted(command)


async def _submitted(command: Command) -> Answer:
    try:
        return await live.submit(command)
    except Refused as refused:
        return Answer(code=str(refused.code), message=refused.message)


def _text(answer: Answer) -> str:
    if not answer.code:
        return answer.text
    code = Code(answer.code)
    if code is Code.UNAVAILABLE:
        raise Refused(code, answer.message, retry_after_ms=RETRY_AFTER_MS)
    raise Refused(code, answer.message)


async def _in_thread(call: Callable[[], _Result]) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(_threads, answered, call)
