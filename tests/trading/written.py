"""An order's records, and what they come to in the database."""

import marshal
from decimal import Decimal

from engine.commands import Input, OpenAccount, PlaceOrder, SetTerms
from engine.values import AccountId, Market
from tests.trading.histories import DIGITS, terms
from trading.batch import Batch
from trading.book import Book
from trading.rows import STORED_ID, packed, rows_of

ANN = AccountId("demo", 7)
KEYS = {name: number for number, name in enumerate(DIGITS, 1)}
PRICES = {"EUR-USD": Market(Decimal("1.26630"), Decimal("1.26635"))}
ID = "0a1b2c3d-0000-4000-8000-00000000000a"
ORDER = PlaceOrder(
    account=ANN, id=ID, product="EUR-USD", side="buy", type="market", leverage=Decimal(100), amount=1_000_000,
    take_profit=Decimal("1.3"), client_order_id="mine",
)  # fmt: skip


def batch_of(records, stored_id=STORED_ID["postgresql"]):
    """Return what records come to, by way of the bytes that go to the journal's process."""
    return Batch(marshal.loads(packed(rows_of(record, KEYS, stored_id))) for record in records)


def given_records(*commands):
    book = Book()
    first = [SetTerms(terms=terms("EUR-USD")), OpenAccount(account=ANN)]
    return [book.handle(Input(command, 1_000 + at, PRICES)) for at, command in enumerate((*first, *commands))]


def named(table, row):
    return dict(zip(table.columns, row, strict=True))
