"""Weekly hours, against a walk through the week's minutes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.hours import DAYS, READY_MADE, WEEK_MIN, is_open, parse_hours

MINUTES = st.integers(min_value=0, max_value=WEEK_MIN - 1)


def moment(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def spelled(minute):
    day, rest = divmod(minute, 24 * 60)
    return f"{DAYS[day]} {rest // 60:02d}:{rest % 60:02d}"


@given(st.lists(st.tuples(MINUTES, MINUTES).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=4), MINUTES)
def test_open_is_what_a_walk_from_each_opening_reaches(periods, at):
    hours = parse_hours(",".join(f"{spelled(start)}-{spelled(end)}" for start, end in periods))
    reached = any((at - start) % WEEK_MIN < (end - start) % WEEK_MIN for start, end in periods)
    monday_ms = moment("2024-01-01")
    assert is_open(hours, monday_ms + at * 60_000) == reached
    assert is_open(hours, monday_ms + at * 60_000 + 59_999) == reached


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2024-01-05T21:59:59.999", True),  # a Friday
        ("2024-01-05T22:00", False),
        ("2024-01-06T12:00", False),
        ("2024-01-07T21:59:59.999", False),
        ("2024-01-07T22:00", True),
        ("2024-01-08T00:00", True),
    ],
)
def test_forex_runs_over_the_end_of_the_week(time, expected):
    assert is_open(parse_hours(READY_MADE["forex"]), moment(time)) is expected


def test_without_hours_it_is_always_open():
    assert parse_hours("") == parse_hours(" , ") == ()
    assert is_open((), moment("2024-01-06T12:00"))


@pytest.mark.parametrize("group", READY_MADE)
def test_the_ready_made_hours_can_be_read(group):
    parse_hours(READY_MADE[group])


@pytest.mark.parametrize(
    "text",
    ["Sun 22:00", "Sunday 22:00-Fri 22:00", "Sun 24:00-Fri 22:00", "Sun 22:60-Fri 22:00", "Sun 22:00-Sun 22:00",
     "sun 22:00-fri 22:00", "Sun 22:00-Fri 22:00;", "Sun 2:00-Fri 22:00", "Sun \u0661\u0662:00-Fri 22:00"],
)  # fmt: skip
def test_a_period_that_is_none_is_named(text):
    with pytest.raises(ValueError, match=r"is not a period such as Sun 22:00-Fri 22:00") as error:
        parse_hours(f"Mon 01:00-Mon 02:00, {text}")
    assert repr(text) in str(error.value)
