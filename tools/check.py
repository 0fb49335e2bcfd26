"""Run the parts of `make test`, print what each took, and end with one line: N passed, N failed.

    python -m tools.check [PART …]

A part fails when its command does, whatever the counts say; style, types and arrows count as one check each.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from tools import chromium
from tools.setup import ROOT, node_command

PART_TIME_MAX_S = 900
"""A part that takes longer hangs; all of them together are meant to take a quarter of an hour at most."""

COMPLAINT_MAX_CHARS = 300
"""A failure's own words in the summary: which one it was, and of what kind. All of it is further up."""

HANG_DUMP_S = 120
"""A single test that takes longer prints where it hangs."""

POSTGRES = {"TEST_DB": "postgres"}

BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
"""Container images like to forbid it. Hundreds of processes would compile the same modules and rewrite all asserts."""

PROCESSES = ("tests/journeys", "tests/browser")
"""Tests of running servers. Each folder is a part of its own, which need not read all the others."""


KILLS = "tests/journeys/test_crashes.py"
"""The trial on SQLite takes longest of all; PostgreSQL's is in its own part."""

SERVERS = ("tests/journeys/test_replay.py", "tests/journeys/test_serve.py", "tests/journeys/test_server.py")
"""Journeys whose servers are their own: they lose nothing in a run apart from the others."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of `make test`. `report` says how its command is asked for a JUnit file; None: it has none."""

    name: str
    command: Sequence[str]
    report: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


Lane = Sequence[Part]
"""Parts that run one after the other."""

Stage = Sequence[Lane]
"""Lanes side by side; the next stage begins when all have ended."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a part came to, in tests (or checks) and seconds."""

    name: str
    seconds: float
    passed: int
    failed: int
    skipped: int
    complaints: Sequence[str] = ()


def stages() -> list[Stage]:
    """Return all of `make test`: what is quick to fail comes first."""
    python = sys.executable
    ruff = "ruff check . && ruff format --check ."
    bin_path = f"{Path(python).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    arrows = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}", "PATH": bin_path}
    apart = [f"--ignore={file}" for file in (KILLS, *SERVERS)]
    units = [f"--ignore={folder}" for folder in PROCESSES]
    journeys, browser = PROCESSES
    style = Part("style", ["sh", "-c", ruff], environment={"PATH": bin_path})
    # mypy's Django plugin reads the settings, and those keep secrets in DATA_DIR: not in the developer's.
    types = Part("types", [python, "-m", "mypy"], environment={"DATA_DIR": ".mypy_cache/data"})
    js = Part("js", ["sh", "-c", 'exec "$NODE" --test "$@" tests/js/*.test.mjs', "js"], report="node")
    # What runs beside one another takes the processor when the other waits: for processes, for clocks, for Chromium.
    # The lanes of a stage take about as long as one another.
    return [
        [[style]],
        [[Part("arrows", ["lint-imports"], environment=arrows)]],
        [[_pytest("unit", *units, *_workers())], [types, js]],
        [
            [_pytest("browser", browser), _pytest("journeys", journeys, *apart)],
            [
                _pytest("postgres", *units, *_workers(), environment=POSTGRES),
                _pytest("postgres-journeys", journeys, environment=POSTGRES),
                _pytest("servers", *SERVERS),
                _pytest("kills", KILLS),
            ],
        ],
    ]


def main(names: Sequence[str]) -> int:
    """Run the named parts, or all, and return the exit code."""
    every = stages()
    unknown = set(names) - {part.name for stage in every for lane in stage for part in lane}
    if unknown:
        print(f"no such part: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        outcomes = [outcome for stage in every for outcome in run_stage(chosen(stage, names))]
    except KeyboardInterrupt:
        return 130
    print_summary(outcomes, time.monotonic() - began)
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def chosen(stage: Stage, names: Sequence[str]) -> Stage:
    """Return the parts that are asked for, in their lanes; all of them where none is named."""
    lanes = [[part for part in lane if not names or part.name in names] for lane in stage]
    return [lane for lane in lanes if lane]


def run_stage(stage: Stage) -> list[Outcome]:
    """Run lanes at the same time: the first one's output is passed through, the others' shown when all have ended."""
    if not stage:
        return []
    first, *others = stage
    with ThreadPoolExecutor(max(1, len(others))) as threads, ExitStack() as files:
        outputs = [[files.enter_context(tempfile.TemporaryFile()) for _ in lane] for lane in others]
        waiting = [threads.submit(_run_lane, lane, kept) for lane, kept in zip(others, outputs, strict=True)]
        outcomes = [run(part) for part in first]
        outcomes += [outcome for lane in waiting for outcome in lane.result()]
        for lane, kept in zip(others, outputs, strict=True):
            for part, output in zip(lane, kept, strict=True):
                _headline(part)
                output.seek(0)
                print(output.read().decode(errors="replace"), end="", flush=True)
    return outcomes


def _run_lane(lane: Lane, outputs: Sequence[IO[bytes]]) -> list[Outcome]:
    return [run(part, output) for part, output in zip(lane, outputs, strict=True)]


def run(part: Part, output: IO[bytes] | None = None) -> Outcome:
    """Run one part with its output passed through, or into a file."""
    if output is None:
        _headline(part)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tickwire-check-") as folder:
        report = Path(folder) / "junit.xml"
        code = _exit_code(part, report, output)
        passed, failed, skipped = counts(report) if part.report else (int(code == 0), 0, 0)
        said = complaints(report)
    if code != 0:
        failed = max(failed, 1)  # a run that broke down, collected nothing or took too long has failed
    return Outcome(part.name, time.monotonic() - began, passed, failed, skipped, said)


def counts(report: Path) -> tuple[int, int, int]:
    """Return the numbers of passed, failed and skipped tests of a JUnit file; zeros when there is none."""
    passed = failed = skipped = 0
    for case in _cases(report):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def complaints(report: Path) -> list[str]:
    """Return a line for each test of a JUnit file that failed: its name and what it said."""
    lines = []
    for case in _cases(report):
        for fault in (*case.iter("failure"), *case.iter("error")):
            name = " ".join(filter(None, (case.get("classname"), case.get("name"))))
            lines.append(f"{name}: {' '.join(fault.get('message', '').split())}"[:COMPLAINT_MAX_CHARS])
    return lines


def _cases(report: Path) -> Iterable[ElementTree.Element]:
    if not report.exists() or report.stat().st_size == 0:
        return ()
    return ElementTree.parse(report).iter("testcase")


def print_summary(outcomes: Sequence[Outcome], seconds: float) -> None:
    """Print a table of the parts, how long they took together, what failed and, as the very last line, the sum."""
    print(f"\n{'part':<18} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for outcome in outcomes:
        print(
            f"{outcome.name:<18} {outcome.passed:>7} {outcome.failed:>7} {outcome.skipped:>8} {outcome.seconds:>8.1f}"
        )
    print(f"{'together':<18} {'':>7} {'':>7} {'':>8} {seconds:>8.1f}\n")
    for outcome in outcomes:
        for complaint in outcome.complaints:
            print(f"failed in {outcome.name}: {complaint}")
    passed, failed = sum(outcome.passed for outcome in outcomes), sum(outcome.failed for outcome in outcomes)
    print(f"{passed} passed, {failed} failed", flush=True)


def _pytest(name: str, *options: str, environment: Mapping[str, str] | None = None) -> Part:
    command = [
        sys.executable, "-m", "pytest", "-q", "-rs", "-o", f"faulthandler_timeout={HANG_DUMP_S}", *options,
    ]  # fmt: skip
    return Part(name, command, report="pytest", environment=environment or {})


def _workers() -> list[str]:
    return ["-n", str(max(1, min(8, os.cpu_count() or 1)))]


def _headline(part: Part) -> None:
    print(f"\n── {part.name} " + "─" * (100 - len(part.name)), flush=True)


def _exit_code(part: Part, report: Path, output: IO[bytes] | None) -> int:
    try:
        environment = {**os.environ, **BYTECODE, **part.environment, **_tools(part)}
        command = [*part.command, *_report_options(part, report)]
        return subprocess.run(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, timeout=PART_TIME_MAX_S, check=False,
            stdout=output, stderr=None if output is None else subprocess.STDOUT,
        ).returncode  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"{part.name} did not end within {PART_TIME_MAX_S} s", flush=True)
    except chromium.ChromiumMissing as missing:
        print(missing, flush=True)
    return 1


def _tools(part: Part) -> Mapping[str, str]:
    """Return the paths of what a part needs besides Python."""
    if part.name == "browser":
        return {"CHROMIUM": chromium.ensure()}
    if part.name == "js":
        return {"NODE": node_command()[0]}
    return {}


def _report_options(part: Part, report: Path) -> list[str]:
    if part.report == "pytest":
        return [f"--junit-xml={report}"]
    if part.report == "node":
        return [
            "--test-reporter=spec", "--test-reporter-destination=stdout",
            "--test-reporter=junit", f"--test-reporter-destination={report}",
        ]  # fmt: skip
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
