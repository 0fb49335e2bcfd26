"""Plots: well-formed, in proportion, with every name on them."""

import doctest
import re
from xml.etree import ElementTree

import pytest

from benchmarks.fanout import svg

NAMESPACE = {"svg": "http://www.w3.org/2000/svg"}


def texts(document):
    return [element.text for element in ElementTree.fromstring(document).iterfind(".//svg:text", NAMESPACE)]


def lengths(document):
    return [float(bar.get("width", "")) for bar in ElementTree.fromstring(document).iterfind("svg:rect", NAMESPACE)]


def heights(document):
    """Return the places of each line's points from the top."""
    paths = re.findall(r'<path d="M([^"]+)" fill="none"', document)
    return [[float(point.split()[1]) for point in path.split("L")] for path in paths]


def test_the_examples_are_true():
    assert doctest.testmod(svg).failed == 0


def test_bars_are_ordered_and_ten_times_as_much_is_always_as_much_longer():
    document = svg.bars("t", {"a": 10, "b": 1_000, "c": 100}, unit="things", highlighted="b")
    first, second, third = lengths(document)
    assert first - second == pytest.approx(second - third, abs=0.2)
    assert first > second
    assert [text for text in texts(document) if text in "abc"] == ["b", "c", "a"]


def test_names_cannot_break_the_document():
    assert "A & <B>" in texts(svg.bars("t", {"A & <B>": 1, "C": 2}, unit="u"))


def test_lines_close_together_stand_on_zero():
    document = svg.lines("t", {"a": [(1, 50), (10, 100)]}, x_title="x")
    (low, high), ground = heights(document)[0], svg.AXIS_TOP + svg.PLOT_HEIGHT
    assert round((ground - low) * 2) == round(ground - high)
    assert "0" in texts(document)


def test_lines_far_apart_have_a_logarithmic_axis():
    document = svg.lines("t", {"a": [(1, 10), (10, 100)], "b": [(1, 100_000)]}, x_title="x")
    (first, second), (third,) = heights(document)
    assert first - second == pytest.approx((second - third) / 3, abs=0.2)
    assert first > second
    assert "0" not in texts(document)


def test_one_point_is_a_plot_too():
    assert "1" in texts(svg.lines("t", {"a": [(1, 5)]}, x_title="x"))


def test_a_plot_follows_the_readers_light_or_dark():
    assert "prefers-color-scheme: dark" in svg.bars("t", {"a": 1, "b": 2}, unit="u")
