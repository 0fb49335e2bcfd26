"""A process of a trial dies at a named point of a transaction when an order to do so lies in a file."""

import os
import signal
from collections import Counter
from pathlib import Path

from django.apps import AppConfig

ORDER_FILE = "CRASH_ORDER"
"""The variable that names the file. Its text: a point of `trading.journal`, and how often to let it pass."""

POINTS = ("before_begin", "after_journal", "after_events", "after_rows", "before_commit", "after_commit")
"""All points of `trading.journal.at_point`, in their order."""

_passed: Counter[str] = Counter()


class DoomConfig(AppConfig):
    """Puts the deadly hook where the journal calls it."""

    name = "tests.crashes"
    label = "crashes"

    def ready(self) -> None:
        from trading import journal

        journal.at_point = at_point


def order_death(file: Path, point: str, *, passes: int) -> None:
    """Have the process that comes to this point, after so many passes, kill itself; it takes the file away first."""
    draft = file.with_suffix(".draft")
    draft.write_text(f"{point} {passes}")
    draft.replace(file)


def at_point(point: str) -> None:
    file = Path(os.environ[ORDER_FILE])
    try:
        order = file.read_text()
    except FileNotFoundError:
        _passed.clear()
        return
    wanted, passes = order.split()
    if point != wanted:
        return
    _passed[order] += 1
    if _passed[order] > int(passes):
        file.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
