"""Which plots the results have (pure)."""

from collections.abc import Callable, Mapping

from benchmarks.fanout import svg
from benchmarks.fanout.figures import Median
from benchmarks.fanout.servers import TITLES

HIGHLIGHTED = TITLES["tickwire"]


def fanout_plots(medians: Mapping[str, Mapping[str, Median]]) -> dict[str, str]:
    """Return name -> SVG: deliveries for each CPU second under load, and how late a tick is without."""
    found: dict[str, str] = {}
    for name, title in (("W1", "One tick per turn, 500 clients"), ("W1x16", "Bursts of 16, 500 clients")):
        values = _values(medians.get(name, {}), lambda median: median.per_cpu_s)
        if values:
            unit = "deliveries for each second of the server's processor"
            found[name] = svg.bars(f"{name}: {title}", values, unit=unit, highlighted=HIGHLIGHTED)
    values = _values(medians.get("W2", {}), lambda median: median.value("latency_us.p99") / 1000)
    if values:
        title = "W2: 100 clients, 100 ticks/s"
        found["W2"] = svg.bars(title, values, unit="ms that 99 % of ticks need at most", highlighted=HIGHLIGHTED)
    return found


def _values(medians: Mapping[str, Median], figure: Callable[[Median], float]) -> dict[str, float]:
    return {TITLES[peer]: figure(median) for peer, median in medians.items() if figure(median) > 0}
