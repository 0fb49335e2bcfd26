"""What the log says of trades, and what no log can say."""

import pytest

from engine.values import AccountId
from tests.trading.histories import History
from trading.lives import Life, Lives

ACCOUNTS = [AccountId("demo", 1), AccountId("live", 1), AccountId("demo", 2)]
A, B, C = ("0a1b2c3d-0000-4000-8000-00000000000" + letter for letter in "abc")


def order(identifier=A, margin="1.00000000", amount=100):
    return f'{{"id":"{identifier}","product":"EUR-USD","amount":{amount},"margin":"{margin}"}}'


def closed(margin="1.00000000", pnl="0.50000000", decay="0"):
    return f'{{"id":"{A}","product":"EUR-USD","amount":100,"margin":"{margin}","pnl":"{pnl}","decay":"{decay}"}}'


def split(*parts, parent=A):
    return f'{{"parent_id":"{parent}","first_position":{parts[0]},"second_position":{parts[1]}}}'


ENDED = f'{{"id":"{A}","product":"EUR-USD"}}'
PLACED = [(1, "order:new", order())]
OPENED = [*PLACED, (1, "order:activate", ENDED), (1, "position:new", order())]
PARTS = order(B, "0.40000000", 40), order(C, "0.60000000", 60)


def lives_of(*events):
    lives = Lives()
    for serial, name, data in events:
        lives.add(serial, 1_000 + serial, name, data)
    lives.finish()
    return lives


def flow(lives, serial, identifier=A):
    return {
        place: amount for (at, trade, place), amount in lives.expected.items() if (at, trade) == (serial, identifier)
    }


def test_an_order_that_is_cancelled_gives_its_margin_back():
    lives = lives_of(
        *PLACED, (2, "order:update", order(margin="1.5")), (3, "balance", "{}"), (4, "order:cancel", ENDED)
    )
    assert lives.wrong == []
    assert lives.orders == {A: Life("cancelled", order(margin="1.5"), 1, 4, ended_ms=1_004)}
    assert [flow(lives, serial)["user.margin"] for serial in (1, 2, 4)] == [100_000_000, 50_000_000, -150_000_000]
    assert [flow(lives, serial)["user.cash"] for serial in (1, 2, 4)] == [-100_000_000, -50_000_000, 150_000_000]


@pytest.mark.parametrize(
    ("pnl", "decay", "expected"),
    [
        ("0.50000000", "0", (150_000_000, -50_000_000, 0, 0)),
        ("-0.25000000", "0.05", (70_000_000, 25_000_000, 5_000_000, 0)),
        ("-1.00000000", "0", (0, 100_000_000, 0, 0)),
        ("-1.20000000", "0.1", (0, 120_000_000, 10_000_000, -30_000_000)),
    ],
)
def test_a_close_settles_profit_decay_and_what_the_margin_did_not_cover(pnl, decay, expected):
    lives = lives_of(*OPENED, (2, "position:close", closed(pnl=pnl, decay=decay)))
    assert lives.wrong == []
    moved = flow(lives, 2)
    assert (moved["user.cash"], moved["house.pnl"], moved["house.decay"], moved["house.insurance"]) == expected
    assert moved["user.margin"] == -100_000_000
    assert sum(moved.values()) == 0


def test_a_split_ends_one_and_begins_two():
    lives = lives_of(*OPENED, (2, "position:split", split(*PARTS)))
    assert lives.wrong == []
    assert lives.positions[A].status == "split"
    assert lives.positions[B] == Life("open", PARTS[0], 2, 2, parent=A, part=1)
    assert lives.positions[C] == Life("open", PARTS[1], 2, 2, parent=A, part=2)
    assert not flow(lives, 2)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([*PLACED, (2, "order:new", order())], "placed twice"),
        ([(1, "order:update", order())], "is updated, which is not open"),
        ([(1, "order:cancel", ENDED)], "is cancelled, which is not open"),
        ([*PLACED, (2, "order:cancel", ENDED), (3, "order:cancel", ENDED)], "is cancelled, which is not open"),
        ([*PLACED, (2, "order:cancel", ENDED), (3, "order:activate", ENDED)], "is activated, which is not open"),
        ([*PLACED, (2, "order:cancel", ENDED.replace("EUR", "GBP"))], "is cancelled, which is not open"),
        ([*PLACED, (2, "order:activate", ENDED)], "was activated, and no position opened"),
        ([*PLACED, (2, "order:activate", ENDED), (3, "position:new", order())], "opened without its order"),
        ([(1, "position:new", order())], "opened without its order"),
        ([*OPENED, (2, "position:new", order())], "opened without its order"),
        ([*PLACED, (2, "position:close", closed())], "is closed, which is not open"),
        ([*OPENED, (2, "position:close", closed()), (3, "position:close", closed())], "is closed, which is not open"),
        ([*OPENED, (2, "position:close", closed()), (3, "position:update", order())], "is updated, which is not open"),
        ([*OPENED, (2, "position:close", closed()), (3, "position:split", split(*PARTS))], "split, which is not open"),
        ([*OPENED, (2, "position:split", split(PARTS[0], PARTS[0]))], "is there already"),
        ([*OPENED, (2, "position:split", split(PARTS[0], order(C, "0.7", 60)))], "margins are not its own"),
        ([*OPENED, (2, "position:split", split(PARTS[0], order(C, "0.60000000", 61)))], "amounts are not its own"),
        ([(1, "order:lost", order())], "order:lost is no event"),
        ([(1, "order:new", "{")], "order:new cannot be read"),
        ([(1, "order:new", "[]")], "order:new cannot be read"),
        ([(1, "order:new", "{}")], "order:new cannot be read"),
        ([(1, "order:new", order(margin="much"))], "order:new cannot be read"),
    ],
)
def test_what_no_log_can_say_is_named(events, words):
    wrong = lives_of(*events).wrong
    assert wrong
    assert words in wrong[0]


def test_what_an_engine_says_is_believed():
    history = History(5, ACCOUNTS)
    logs = {account: Lives() for account in ACCOUNTS}
    for record in history.begin() + history.steps(300):
        for event in record.log:
            logs[event.account].add(record.serial, record.outcome.entry.time_ms, event.name, event.data)
    assert [lives.wrong for lives in logs.values()] == [[]] * len(ACCOUNTS)
    for account, lives in logs.items():
        owner = history.book.state.accounts[account]
        assert [key for key, life in lives.orders.items() if life.status == "open"] == list(owner.orders)
        assert [key for key, life in lives.positions.items() if life.status == "open"] == list(owner.positions)
