"""May this be done, and what comes of it? A command and its input become events, or a refusal.

`decide` reads the state and never writes it; `handle` decides and evolves. What each command does is in the module
that the table names.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from engine import closing, funds, placing, updating
from engine.commands import (
    CancelOrder,
    ClosePosition,
    Command,
    Deposit,
    Expire,
    Input,
    OpenAccount,
    PlaceOrder,
    ResetAccount,
    SetTerms,
    SplitPosition,
    Trigger,
    UpdateTrade,
    Withdraw,
)
from engine.events import Event, TermsSet
from engine.refusals import Refusal
from engine.state import State, evolve

Rule = Callable[[State, Any, Input], tuple[Event, ...]]


def _set_terms(state: State, command: SetTerms, _entry: Input) -> tuple[Event, ...]:
    """The same terms again change nothing, so a start may set them all."""
    terms = command.terms
    return () if state.terms.get(terms.product) == terms else (TermsSet(terms),)


RULES: Mapping[type[Command], Rule] = {
    PlaceOrder: placing.place,
    CancelOrder: placing.cancel,
    Expire: placing.expire,
    UpdateTrade: updating.update,
    SplitPosition: updating.split,
    ClosePosition: closing.close,
    Trigger: closing.trigger,
    OpenAccount: funds.open_account,
    Deposit: funds.deposit,
    Withdraw: funds.withdraw,
    ResetAccount: funds.reset,
    SetTerms: _set_terms,
}


class Outcome(NamedTuple):
    """What an input came to. Without events nothing has changed and nothing needs to be kept.

    `refusal` with an event is one that has to be remembered, for the order that comes a second time.
    """

    entry: Input
    events: tuple[Event, ...]
    refusal: Refusal | None = None


def decide(state: State, entry: Input) -> Outcome:
    """Return what would come of a command now; the state stays as it is."""
    try:
        return Outcome(entry, RULES[type(entry.command)](state, entry.command, entry))
    except Refusal as refusal:
        # A traceback holds the frames of all callers, and the caller's frame the outcome: a cycle for each refusal.
        refusal.__traceback__ = None
        return Outcome(entry, placing.remembered(state, entry.command, refusal), refusal)


def handle(state: State, entry: Input) -> Outcome:
    """Decide, and change the state by what was decided."""
    outcome = decide(state, entry)
    for event in outcome.events:
        evolve(state, event)
    return outcome


def products_needed(state: State, command: Command) -> tuple[str, ...]:
    """Return the products whose prices a command has to be given."""
    match command:
        case PlaceOrder():
            return (command.product,)
        case UpdateTrade() | ClosePosition() | Trigger():
            trade = state.trade(command.id)
            return () if trade is None else (trade.product,)
        case ResetAccount(account=account):
            owner = state.accounts.get(account)
            return () if owner is None else tuple(dict.fromkeys(p.product for p in owner.positions.values()))
        case _:
            return ()
