"""The numbers of a trial as tables, for people."""

from collections.abc import Iterator

from rich.table import Table

from tests.crashes.course import Course, Tally


def tables(course: Course, place: str) -> Iterator[Table]:
    """Yield who died where, and what came of it."""
    tally = course.tally
    yield _table(f"{place}: kills (seed {course.seed})", ("target", "point", "kills"), _kills(tally))
    yield _table(f"{place}: what came of it", ("", ""), _numbers(tally))


def _kills(tally: Tally) -> list[tuple[str, ...]]:
    rows = [(target, point, str(count)) for (target, point), count in sorted(tally.kills.items())]
    return [*rows, ("together", "", str(tally.kills.total()))]


def _numbers(tally: Tally) -> list[tuple[str, ...]]:
    recoveries_s = sorted(tally.recoveries_s)
    numbers: dict[str, object] = {
        "requests acknowledged": tally.acknowledged,
        "requests refused": tally.refused.total(),
        "orders asked for again, answered alike": tally.repeated,
        "unknown outcomes": _counted(tally.unknown),
        "unknown outcomes resolved": _counted(tally.resolved),
        "events followed": tally.events,
        "resumes, all recovered": tally.resumes,
        "processes that ended by themselves": _counted(tally.ended_alone),
    }
    if recoveries_s:
        median_s, longest_s = recoveries_s[len(recoveries_s) // 2], recoveries_s[-1]
        numbers["from a kill to the next acknowledgement"] = f"{median_s:.2f} s median, {longest_s:.2f} s longest"
    return [(name, str(number)) for name, number in numbers.items()]


def _counted(counts: dict[str, int]) -> str:
    parts = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return f"{sum(counts.values())}" + (f" ({parts})" if parts else "")


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=any(columns))
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*row)
    return table
