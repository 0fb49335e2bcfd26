"""How far is a long command? A bar on the terminal, and nothing where nobody looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EVERY = 200
"""How many steps are shown at once: drawing takes longer than they do."""


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what is to be called with how much is done, and of how much."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(title, total=None)

        def show(done: int, total: int) -> None:
            if done % EVERY == 0 or done == total:
                progress.update(task, completed=done, total=total)

        yield show
