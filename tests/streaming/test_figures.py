"""Figures of processes and what they come to."""

import msgspec

from streaming.figures import EngineFigures, FeedFigures, Figures, Rates, overview


def figures(process, **fields):
    plain = {
        "roles": ["web"], "connections": {}, "delivered": 0, "conflated": 0, "lost": 0, "late_ms": 0.0,
        "delivered_per_s": 0.0, "conflated_per_s": 0.0,
    }  # fmt: skip
    return Figures(process=process, **{**plain, **fields})


TICKING = FeedFigures(100, 3, {"open": 2}, [("EUR-USD", "open", 0.4)])
FEED = figures("feed:1", ticks_per_s=40.0, refused_per_s=1.5, feed=TICKING)
WORKING = EngineFigures(fence=3, lag_ms=2.5, positions=1, products=1, interest=[("live", "EUR-USD", 1500, 0)])
HOLDER = figures("engine:2", commands_per_s=7.0, engine=WORKING)


def test_two_web_processes_are_one_house():
    webs = [
        figures("web:1", connections={"pages": 1, "event_stream": 2}, delivered=10, delivered_per_s=5.0, conflated=1),
        figures("web:2", connections={"event_stream": 3}, delivered=20, delivered_per_s=2.5, lost=4),
    ]
    shown = overview([*webs, FEED, HOLDER, figures("engine:4", engine=EngineFigures(0))], 1_000)
    assert shown["connections"] == {"pages": 1, "event_stream": 5}
    assert (shown["delivered"], shown["delivered_per_s"], shown["conflated"], shown["lost"]) == (30, 7.5, 1, 4)
    assert (shown["ticks_per_s"], shown["refused_per_s"], shown["commands_per_s"]) == (40.0, 1.5, 7.0)
    assert [one["connections"] for one in shown["processes"]] == [3, 3, 0, 0, 0]
    assert shown["feed"]["process"] == "feed:1"
    assert shown["feed"]["silent"] == [("EUR-USD", "open", 0.4)]
    assert (shown["engine"]["process"], shown["engine"]["fence"], shown["standbys"]) == ("engine:2", 3, 1)
    assert shown["engine"]["interest"] == [("live", "EUR-USD", 1500, 0)]
    assert shown["time"] == 1_000


def test_without_feed_or_engine_there_is_none():
    shown = overview([figures("web:1"), figures("engine:4", engine=EngineFigures(0))], 1_000)
    assert (shown["feed"], shown["engine"], shown["standbys"]) == (None, None, 1)


def test_of_two_that_think_they_hold_the_lease_the_newer_one_does():
    old, new = (figures(f"engine:{fence}", engine=EngineFigures(fence)) for fence in (4, 5))
    shown = overview([old, new], 1_000)
    assert (shown["engine"]["process"], shown["standbys"]) == ("engine:5", 1)


def test_figures_survive_the_way_over_the_layer():
    for one in (FEED, HOLDER, figures("web:1", connections={"pages": 1})):
        assert msgspec.convert(msgspec.to_builtins(one), Figures) == one


def test_rates_are_what_was_added_over_the_time_that_passed():
    now_s = [100.0]
    rates = Rates(lambda: now_s[0])
    assert rates.take(ticks=1_000) == {"ticks": 0}
    now_s[0] += 2
    assert rates.take(ticks=1_050) == {"ticks": 25}
    now_s[0] += 1
    assert rates.take(ticks=1_050, refused=3) == {"ticks": 0, "refused": 0}
