"""What the naive model says against the document's own examples."""

import json
from fractions import Fraction

from simulation.naive_text import End, balance_text, short_text, split_text, trade_text
from tests.simulation.test_naive_rules import trade

DOCUMENTS_ID = "bf2b704c-010a-48ca-93fb-d0193f24420a"
DOCUMENTS_TRADE = {
    "id": DOCUMENTS_ID, "amount": 1_000_000, "margin": 333_333_333, "leverage": Fraction(300),
    "liquidation": 126_354, "decay_rate": Fraction("0.0002"), "created": 1511482279492,
}  # fmt: skip
COMMON = (
    '{"id":"bf2b704c-010a-48ca-93fb-d0193f24420a","product":"EUR-USD","price":"1.26635","side":"buy","leverage":"300",'
    '"amount":1000000,"margin":"3.33333333","base_size":"1000","base_currency":"BTC","type":"market",'
    '"liquidation_price":"1.26354",'
)


def documents_trade(**changes):
    return trade(price="1.26635", **{**DOCUMENTS_TRADE, "opened": None, **changes})


def test_an_order_is_the_documents():
    assert trade_text(documents_trade()) == COMMON + '"decay_rate":"0.0002","created_at":1511482279492}'


def test_an_updated_position_is_the_documents():
    updated = documents_trade(
        opened=1511482876413, updated=1511486476135, take_profit=128_898, stop_loss=126_477
    )  # fmt: skip
    assert trade_text(updated) == COMMON + (
        '"take_profit":"1.28898","stop_loss":"1.26477","decay_rate":"0.0002","created_at":1511482279492,'
        '"opened_at":1511482876413,"updated_at":1511486476135}'
    )


def test_a_closed_position_is_the_documents():
    end = End(price=126_995, pnl=284_281_590, percent=852_845, reason="manual", decay=0, time=1511483816212)
    assert trade_text(documents_trade(opened=1511482876413), end) == COMMON + (
        '"decay_rate":"0.0002","close_price":"1.26995","pnl":"2.84281590","pnl_percent":"85.2845","reason":"manual",'
        '"decay":"0","created_at":1511482279492,"opened_at":1511482876413,"closed_at":1511483816212}'
    )


def test_a_pending_order_says_what_it_is_and_how_long():
    pending = json.loads(trade_text(documents_trade(kind="limit", valid_until=99, client_order_id="mine")))
    wanted = {"type": "pending", "order_type": "limit", "valid_until": 99, "client_order_id": "mine"}
    assert {key: pending[key] for key in wanted} == wanted


def test_the_short_ones():
    assert short_text(documents_trade()) == f'{{"id":"{DOCUMENTS_ID}","product":"EUR-USD"}}'
    assert balance_text(3_399_388_733) == '{"BTC":"33.99388733"}'
    parts = documents_trade(id="a"), documents_trade(id="b")
    text = json.loads(split_text(documents_trade(), *parts))
    assert text["parent_id"] == DOCUMENTS_ID
    assert (text["first_position"]["id"], text["second_position"]["id"]) == ("a", "b")
