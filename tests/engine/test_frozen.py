"""Values that only the type checker guards are otherwise as frozen dataclasses are."""

from dataclasses import fields, replace

import pytest

from engine.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    x: int
    y: int = 0


def test_it_is_compared_hashed_and_changed_like_a_frozen_one():
    assert Point(x=1) == Point(x=1, y=0) != Point(x=2)
    assert {Point(x=1)} == {Point(x=1)}
    assert replace(Point(x=1), y=5) == Point(x=1, y=5)
    assert [each.name for each in fields(Point)] == ["x", "y"]


def test_it_has_no_room_for_other_attributes():
    with pytest.raises(AttributeError):
        Point(x=1).z = 1  # type: ignore[attr-defined]


def test_the_type_checker_refuses_to_change_it():
    point = Point(x=1)
    # mypy complains of an exception that is not needed: without its refusal this line would be an error.
    point.x = 2  # type: ignore[misc]
    assert point == Point(x=2)
