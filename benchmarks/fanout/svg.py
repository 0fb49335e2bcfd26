"""Plots as SVG text: bars and lines, logarithmic where the values ask for it (pure). They follow the reader's light or
dark.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH = 760
LABELS = 190
"""Room at the left for the names of bars, and for the numbers of an axis."""

BAR, GAP = 20, 12
AXIS_LEFT, AXIS_RIGHT, AXIS_TOP, AXIS_BOTTOM, PLOT_HEIGHT = 76, 170, 44, 46, 250

FAR = 50
"""The ratio of the largest to the smallest value from which on an axis is logarithmic."""

# Distinct for the colour-blind too, on white and on black; the first is the one that the plot is about.
COLOURS = ("#2a78d6", "#e0782f", "#8a63d2", "#2f9e6e", "#c44e72")
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #333 }
.title { font-weight: 600; font-size: 15px }
.quiet { fill: #777 }
.grid { stroke: #8884; stroke-width: 1 }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .quiet { fill: #999 } }
</style>"""

Points = Sequence[tuple[float, float]]


def bars(title: str, values: Mapping[str, float], *, unit: str, highlighted: str = "") -> str:
    """Return a plot of bars from the largest to the smallest, each with its number; their lengths are logarithmic."""
    ordered = sorted(values.items(), key=lambda item: -item[1])
    low = 10 ** math.floor(math.log10(min(values.values()) / 2))
    high = max(values.values())
    room = WIDTH - LABELS - 110
    parts = [_text(0, 20, title, "title"), _text(0, 40, f"{unit} (logarithmic)", "quiet")]
    for row, (name, value) in enumerate(ordered):
        top = 58 + row * (BAR + GAP)
        length = max(2.0, room * math.log(value / low) / math.log(high / low))
        colour = COLOURS[0] if name == highlighted else "#8a94a6"
        parts.append(_text(LABELS - 10, top + 15, name, anchor="end"))
        parts.append(f'<rect x="{LABELS}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3" fill="{colour}"/>')
        parts.append(_text(LABELS + length + 8, top + 15, number(value)))
    return _document(58 + len(ordered) * (BAR + GAP), parts)


def lines(title: str, series: Mapping[str, Points], *, x_title: str) -> str:
    """Return a plot of lines, each named at its end; x is logarithmic, y is where the lines lie far apart."""
    xs = sorted({x for points in series.values() for x, _ in points})
    ys = [y for points in series.values() for _, y in points]
    steps = decades(ys) if apart(ys) else ticks(max(ys))
    room = WIDTH - AXIS_LEFT - AXIS_RIGHT
    span = math.log(xs[-1] / xs[0]) or 1.0

    def x_of(x: float) -> float:
        return AXIS_LEFT + room * math.log(x / xs[0]) / span

    def y_of(y: float) -> float:
        part = math.log(y / steps[0]) / math.log(steps[-1] / steps[0]) if steps[0] else y / steps[-1]
        return AXIS_TOP + PLOT_HEIGHT * (1 - part)

    parts = [_text(0, 20, title, "title")]
    for step in steps:
        parts.append(f'<path class="grid" d="M{AXIS_LEFT} {y_of(step):.1f}H{AXIS_LEFT + room}"/>')
        parts.append(_text(AXIS_LEFT - 8, y_of(step) + 4, number(step), anchor="end"))
    parts += [_text(x_of(x), AXIS_TOP + PLOT_HEIGHT + 20, number(x), anchor="middle") for x in xs]
    parts.append(_text(AXIS_LEFT + room / 2, AXIS_TOP + PLOT_HEIGHT + 40, x_title, "quiet", anchor="middle"))
    for colour, (name, points) in zip(COLOURS, series.items(), strict=False):
        parts += _line(name, points, colour, x_of, y_of)
    return _document(AXIS_TOP + PLOT_HEIGHT + AXIS_BOTTOM, parts)


def _line(
    name: str, points: Points, colour: str, x_of: Callable[[float], float], y_of: Callable[[float], float]
) -> list[str]:
    places = [(x_of(x), y_of(y)) for x, y in points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
    end_x, end_y = places[-1]
    return [
        f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *dots,
        _text(end_x + 10, end_y + 4, name),
    ]


def apart(values: Sequence[float]) -> bool:
    """Tell whether values are so far apart that the small ones would lie on the ground of a linear axis."""
    return min(values) > 0 and max(values) / min(values) > FAR


def decades(values: Sequence[float]) -> list[float]:
    """Return the powers of ten around the values.

    >>> decades([3, 450])
    [1.0, 10.0, 100.0, 1000.0]
    """
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, high + 1)]


def ticks(largest: float) -> list[float]:
    """Return the round numbers of an axis from 0 to the largest value.

    >>> ticks(870)
    [0.0, 200.0, 400.0, 600.0, 800.0, 1000.0]
    """
    power = 10.0 ** math.floor(math.log10(largest or 1))
    step = next(power * part for part in (0.2, 0.5, 1, 2) if largest / (power * part) <= 5)
    return [step * count for count in range(math.ceil(largest / step) + 1)]


def number(value: float) -> str:
    """Return a number as short as a plot wants it.

    >>> [number(value) for value in (0.25, 7, 9_940, 620_400, 2_500_000)]
    ['0.25', '7', '9.9 k', '620 k', '2.5 M']
    """
    for size, unit in ((1e6, " M"), (1e3, " k"), (1, "")):
        if value >= size:
            scaled = value / size
            return f"{scaled:.0f}{unit}" if scaled >= 100 or scaled == int(scaled) else f"{scaled:.1f}{unit}"
    return f"{value:.2f}" if value else "0"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _document(height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" role="img">'
    return "\n".join([head, STYLE, *parts, "</svg>"]) + "\n"
