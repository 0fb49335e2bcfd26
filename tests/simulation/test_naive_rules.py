"""The golden vectors of the trading rules, for the naive model; and its levels."""

from decimal import Decimal
from fractions import Fraction

import pytest
from msgspec.structs import replace

from simulation.exact import fixed, units
from simulation.naive_rules import ending, liquidation, margin_of, payout, reason_of
from simulation.naive_text import Trade
from tests.simulation.helpers import DEMO, EUR_USD

TWO_THIRDS, FOUR_FIFTHS = (2, 3), (4, 5)
VECTORS = [
    ("buy", 1000, 300, "1.26635", "1.26995", TWO_THIRDS, "3.33333333", "1.26354", "2.84281590", "85.2845"),
    ("sell", 1000, 300, "1.26635", "1.26995", TWO_THIRDS, "3.33333333", "1.26916", "-2.84281590", "-85.2845"),
    ("buy", 100, 200, "1.12000", "1.13000", FOUR_FIFTHS, "0.50000000", "1.11552", "0.89285714", "178.5714"),
    ("buy", 100, 200, "1.12000", "1.11800", FOUR_FIFTHS, "0.50000000", "1.11552", "-0.17857142", "-35.7143"),
    ("buy", 100, 100, "1.12000", "1.12000", FOUR_FIFTHS, "1.00000000", "1.11104", "0.00000000", "0.0000"),
    ("buy", 100, 100, "1.07876", "1.07876", FOUR_FIFTHS, "1.00000000", "1.07013", "0.00000000", "0.0000"),
]


def trade(side="buy", price="1.10000", **changes):
    """Return a position of 10 BTC with leverage 100, or (`opened=None`) an order."""
    values = {
        "account": DEMO, "id": "t1", "product": "EUR-USD", "digits": 5, "side": side, "kind": "",
        "price": units(Decimal(price), 5), "leverage": Fraction(100), "amount": 10_000, "margin": 10**7,
        "liquidation": units(Decimal("1.09"), 5), "decay_rate": Fraction("0.00003"), "created": 0, "opened": 0,
        "take_profit": None, "stop_loss": None, "valid_until": None, "client_order_id": "",
    }  # fmt: skip
    return Trade(**{**values, **changes})


@pytest.mark.parametrize("vector", VECTORS)
def test_golden_vectors(vector):
    side, size, leverage, entry, close, fraction, margin, level, pnl, percent = vector
    amount = size * 1000
    held = margin_of(amount, Fraction(leverage))
    assert fixed(held, 8) == margin
    position = trade(side, entry, amount=amount, margin=held)
    terms = replace(EUR_USD, liquidation_fraction=fraction)
    found = liquidation(terms, side=side, entry=position.price, size=position.size, margin=held)
    assert fixed(found, 5) == level
    end = ending(position, int(Decimal(close).scaleb(5)), "manual", 0)
    assert (fixed(end.pnl, 8), fixed(end.percent, 4)) == (pnl, percent)


@pytest.mark.parametrize(("hours", "decay"), [(7.99, 0), (8, 30_000), (16, 60_000)])
def test_decay_is_taken_per_whole_period(hours, decay):
    assert ending(trade(), 110_000, "manual", int(hours * 3_600_000)).decay == decay


def test_a_position_never_costs_more_than_its_margin():
    assert payout(trade(), ending(trade(), 100_000, "manual", 0)) == 0


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        (109_001, 109_003, "stop_loss"),
        (109_000, 109_002, "liquidation"),
        (109_500, 109_502, "stop_loss"),
        (109_501, 109_503, ""),
        (110_999, 111_001, ""),
        (111_000, 111_002, "take_profit"),
    ],
)
def test_a_buy_looks_at_the_bid_and_liquidation_comes_first(bid, ask, reason):
    assert reason_of(trade(stop_loss=109_500, take_profit=111_000), bid, ask) == reason


@pytest.mark.parametrize(
    ("side", "kind", "reached", "not_yet"),
    [
        ("buy", "limit", (109_990, 110_000), (110_000, 110_001)),
        ("buy", "stop", (109_990, 110_000), (110_000, 109_999)),
        ("sell", "limit", (110_000, 110_010), (109_999, 110_000)),
        ("sell", "stop", (110_000, 110_010), (110_001, 110_002)),
    ],
)
def test_an_order_is_filled_at_its_price(side, kind, reached, not_yet):
    waiting = trade(side, kind=kind, opened=None)
    assert reason_of(waiting, *reached) == "fill"
    assert not reason_of(waiting, *not_yet)
