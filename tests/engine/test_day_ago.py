"""The mid of 24 hours ago, against a look through all minute closes."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.day_ago import DAY_MS, DayAgo

MINUTE_MS = 60_000


def looked_up(closes, time_ms, first):
    """Return the last close at or before a day ago by looking at every one, else the first known mid."""
    known = [mid for ended_ms, mid in closes if ended_ms <= time_ms - DAY_MS]
    return known[-1] if known else first


@given(st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=40))
def test_it_equals_a_look_through_all_closes(gaps_min):
    closes: list[tuple[int, Decimal]] = []
    day_ago, time_ms, first = DayAgo(), 0, Decimal(1)
    for number, gap_min in enumerate(gaps_min):
        time_ms += gap_min * MINUTE_MS
        mid = Decimal(number + 1)
        assert day_ago.at(time_ms, mid) == looked_up(closes, time_ms, first)
        closes.append((time_ms, mid))
        day_ago.add(time_ms, mid)


def test_a_close_of_exactly_a_day_ago_counts():
    day_ago = DayAgo([(0, Decimal(5)), (1, Decimal(6))])
    assert day_ago.at(DAY_MS, Decimal(9)) == 5
    assert day_ago.at(DAY_MS + 1, Decimal(9)) == 6


def test_without_any_history_it_is_the_first_known_mid_for_a_day():
    day_ago = DayAgo()
    assert day_ago.at(1_000, Decimal(7)) == 7
    assert day_ago.at(2_000, Decimal(8)) == 7


def test_with_young_history_it_is_the_first_mid_of_it():
    assert DayAgo([(1_000, Decimal(3)), (61_000, Decimal(4))], Decimal(2)).at(70_000, Decimal(9)) == 2
