"""Books as values that can be compared, and books whose records are in the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from accounts.models import User
from engine.state import State
from engine.values import AccountId, Quote
from engine.wire import trade_object
from tests.market.products import given_products
from tests.trading.histories import History, parts
from tests.trading.tampering import ROWS
from trading.book import Book
from trading.journal import Journal
from trading.lease import Lease, take_lease
from trading.rows import rows_to_write


def shown(book: Book) -> dict[str, Any]:
    """Return all that a book's behaviour depends on, its order too; trades also as they would be told.

    Left out is only what has no effect: levels without an id, and dead entries of the heaps.
    """
    state = book.state
    return {
        "serials": (book.serial, book.ledger_serial),
        "offsets": list(book.offsets.items()),
        "terms": list(state.terms.items()),
        "accounts": [
            (account, owner.cash, owner.margin, _trades(owner.orders), _trades(owner.positions))
            for account, owner in state.accounts.items()
        ],
        "house": dict(state.house),
        "requests": [
            (key, request, request.order and trade_object(request.order)) for key, request in state.requests.items()
        ],
        "owners": list(state.owners.items()),
        "triggers": _reached(state),
        "expiries": _expiries(state),
    }


def _trades(trades: dict[str, Any]) -> list[Any]:
    return [(key, trade, trade_object(trade)) for key, trade in trades.items()]


def _reached(state: State) -> list[tuple[str, list[str]]]:
    """Return what each product's price triggers on its way down to nothing and up to the sky."""
    depth, sky = Decimal("0.00000001"), Decimal(10**9)
    quotes = [
        Quote(name, price, price, price, price, 0, 1) for name in sorted(state.triggers) for price in (depth, sky)
    ]
    return [(quote.product, state.reached(quote)) for quote in quotes if state.reached(quote)]


def _expiries(state: State) -> list[tuple[int, str]]:
    pending = {identifier for owner in state.accounts.values() for identifier in owner.orders}
    return sorted(entry for entry in state.expiries if entry[1] in pending)


def given_accounts(users: int = 3) -> list[AccountId]:
    """Make users and the products; return both accounts of each."""
    given_products()
    made = [User.objects.create_user(f"trader{number}") for number in range(users)]
    return [account for user in made for account in (AccountId("live", user.pk), AccountId("demo", user.pk))]


def given_lease() -> Lease:
    lease = take_lease("a test")
    assert lease is not None
    return lease


@contextmanager
def given_engine() -> Iterator[tuple[Journal, int]]:
    """Yield a journal and the fence to write by."""
    lease = given_lease()
    try:
        with Journal() as journal:
            yield journal, lease.fence
    finally:
        lease.release()


def given_history(seed: int, steps: int = 200) -> History:
    """Return a history of which everything is stored, in batches of 1, 8 and 64."""
    history = History(seed, given_accounts())
    records = history.begin() + history.steps(steps)
    with given_engine() as (journal, fence):
        for part in parts(records):
            journal.write(rows_to_write(part), fence)
    return history


def given_everything() -> History:
    """Return a history in which every kind of row came to be."""
    history = given_history(293, steps=70)
    assert not [what for what, rows in ROWS.items() if not rows().exists()]
    return history
