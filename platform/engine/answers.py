"""What the asker is told when a command is done: the same object over the socket and over REST.

Source: protocols, sections 4 and 6; event stream, the objects of trading:orders and trading:positions.
"""

from collections.abc import Sequence

from engine.commands import (
    CancelOrder,
    ClosePosition,
    Deposit,
    Expire,
    OpenAccount,
    PlaceOrder,
    ResetAccount,
    SplitPosition,
    Trigger,
    UpdateTrade,
    Withdraw,
)
from engine.decide import Outcome
from engine.state import State
from engine.wire import trade_object


def answer_of(state: State, outcome: Outcome, told: Sequence[str]) -> str:
    """Return the JSON text of a result; `""` where nobody waits for one (triggers, terms).

    `told` is the `data` of the command's events that the account's owner is told, in their order.
    """
    match outcome.entry.command:
        case PlaceOrder() as order:
            return told[0] if told else _first_answer(state, order)
        case Trigger() | Expire():
            return ""
        case UpdateTrade() | ClosePosition():
            return told[0]
        case CancelOrder(id=identifier):
            return f'{{"id":"{identifier}"}}'
        case SplitPosition():
            return f'{{"success":true,"data":{told[0]}}}'
        case OpenAccount() | Deposit() | Withdraw() | ResetAccount():
            return told[-1] if told else ""
        case _:
            return ""


def _first_answer(state: State, command: PlaceOrder) -> str:
    """Return what the order was answered when it came for the first time."""
    order = state.requests[command.account, command.client_order_id].order
    assert order is not None
    return trade_object(order)
