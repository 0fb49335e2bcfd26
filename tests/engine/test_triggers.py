"""The index of triggers against a look at every one of them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from engine.triggers import Levels, TriggerIndex
from engine.values import Quote

PRICES = st.integers(min_value=90, max_value=110).map(Decimal)


class LevelsAgainstAList(RuleBasedStateMachine):
    """Adds, removes and asks, beside a list that is searched from end to end."""

    @initialize(direction=st.sampled_from(["below", "above"]))
    def begin(self, direction):
        self.direction, self.levels, self.waiting, self.count = direction, Levels(direction), [], 0

    @rule(level=PRICES)
    def add(self, level):
        self.count += 1
        self.levels.add(level, str(self.count))
        self.waiting.append((level, str(self.count)))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def remove(self, data):
        entry = data.draw(st.sampled_from(self.waiting))
        self.waiting.remove(entry)
        self.levels.remove(*entry)

    @rule(price=PRICES)
    def ask(self, price):
        above = self.direction == "above"
        reached = [entry for entry in self.waiting if (price >= entry[0] if above else price <= entry[0])]
        nearest = self.levels.nearest
        assert not reached or (price >= nearest if above else price <= nearest)
        # Sorting is stable: within a level, the order of coming.
        reached.sort(key=lambda entry: entry[0] if above else -entry[0])
        assert self.levels.reached(price) == [identifier for _, identifier in reached]


TestLevels = LevelsAgainstAList.TestCase


def quote(bid, ask):
    return Quote("EUR-USD", Decimal(bid), Decimal(ask), Decimal(bid), Decimal(bid), 0, 1)


@pytest.mark.parametrize(
    ("price", "direction", "reached_by", "not_by"),
    [
        ("bid", "below", (100, 105), (101, 105)),
        ("bid", "above", (100, 105), (99, 105)),
        ("ask", "below", (95, 100), (95, 101)),
        ("ask", "above", (95, 100), (95, 99)),
    ],
)
def test_each_level_waits_for_its_own_side_of_the_quote(price, direction, reached_by, not_by):
    index = TriggerIndex()
    index.add(price, direction, Decimal(100), "x")
    assert index.reached(quote(*reached_by)) == ["x"]
    assert index.reached(quote(*not_by)) == []
    index.remove(price, direction, Decimal(100), "x")
    assert index.reached(quote(*reached_by)) == []


def test_an_id_that_is_reached_by_two_levels_is_told_once():
    index = TriggerIndex()
    index.add("bid", "below", Decimal(100), "x")
    index.add("bid", "above", Decimal(90), "x")
    assert index.reached(quote(95, 96)) == ["x"]


def test_taking_away_what_does_not_wait_is_an_error():
    levels = Levels("above")
    levels.add(Decimal(1), "x")
    with pytest.raises(KeyError):
        levels.remove(Decimal(1), "y")


@given(st.lists(PRICES, min_size=1, max_size=30))
def test_an_emptied_index_holds_no_level_that_was_reached(levels):
    index = Levels("above")
    for number, level in enumerate(levels):
        index.add(level, str(number))
    for number, level in enumerate(levels):
        index.remove(level, str(number))
    assert index.reached(Decimal(1_000)) == []
    assert not index._heap
    assert not index._ids
