"""A process of a trial dies at a named point of a transaction when an order to do so lies in a file."""

import os
import signal
from collections import Counter
from pathlib import Path

ORDER_FILE = "CRASH_ORDER"
"""The variable that names the file. Its text: who, a point of `trading.journal`, and how often to let it pass."""

POINTS = ("before_begin", "after_journal", "after_events", "after_rows", "before_commit", "after_commit")
"""All points of `trading.journal.at_point`, in their order."""

JOURNAL = "journal"
"""The engine's journal process, which comes to the points; else its parent dies, the engine, and it writes on alone."""

_passed: Counter[str] = Counter()


def order_death(file: Path, who: str, point: str, *, passes: int) -> None:
    """Have the journal's process, or its engine, killed when it comes to this point after so many passes.

    Whoever does it takes the file away first.
    """
    draft = file.with_suffix(".draft")
    draft.write_text(f"{who} {point} {passes}")
    draft.replace(file)


def at_point(point: str) -> None:
    file = Path(os.environ[ORDER_FILE])
    try:
        order = file.read_text()
    except FileNotFoundError:
        _passed.clear()
        return
    who, wanted, passes = order.split()
    if point != wanted:
        return
    _passed[order] += 1
    if _passed[order] > int(passes):
        file.unlink(missing_ok=True)
        os.kill(os.getpid() if who == JOURNAL else os.getppid(), signal.SIGKILL)
