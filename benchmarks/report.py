"""What a benchmark leaves behind: a table in Markdown, with the machine and the versions it was measured on."""

import math
import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("django", "channels", "daphne", "channels-redis", "psycopg", "twisted", "autobahn")


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value that a part of all values does not exceed.

    >>> quantile([3, 1, 2, 4], 0.5)
    2
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * part) - 1)]


def machine(also: Sequence[str] = ()) -> list[str]:
    """Return lines that say what this was measured on, with the versions of further packages."""
    versions = ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, *also))
    system = f"{platform.system()} {platform.release()}"
    return [
        f"- {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {_processor()}, {system}",
        f"- Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, {versions}",
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def write(name: str, lines: Sequence[str]) -> Path:
    """Write a result and return where it is."""
    return _written(RESULTS / f"{name}.md", "\n".join(lines) + "\n")


def write_plot(name: str, svg: str) -> Path:
    """Write a plot beside the results and return where it is."""
    return _written(RESULTS / f"{name}.svg", svg)


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
