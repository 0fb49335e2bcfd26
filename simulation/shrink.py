"""Which steps of a failing script are needed for it to fail? Delta debugging, within a time.

Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002), the algorithm ddmin.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

StepT = TypeVar("StepT")


def shrunk(
    script: list[StepT], fails: Callable[[list[StepT]], bool], out_of_time: Callable[[], bool] = lambda: False
) -> list[StepT]:
    """Return a script that still fails; taking any one step away would mend it, unless the time was over before.

    >>> shrunk(list("the quick brown fox"), lambda letters: "q" in letters and "x" in letters)
    ['q', 'x']
    """
    parts = 2
    while len(script) > 1 and not out_of_time():
        smaller = _without_a_part(script, parts, fails, out_of_time)
        if smaller is not None:
            script = smaller
            parts = max(parts - 1, 2)
        elif parts < len(script):
            parts = min(2 * parts, len(script))
        else:
            break
    return script


def _without_a_part(
    script: list[StepT], parts: int, fails: Callable[[list[StepT]], bool], out_of_time: Callable[[], bool]
) -> list[StepT] | None:
    """Return the script without the first part that it does not need; the newest parts are tried last."""
    ends = [len(script) * part // parts for part in range(parts + 1)]
    for start, end in pairwise(ends):
        if out_of_time():
            return None
        rest = script[:start] + script[end:]
        if fails(rest):
            return rest
    return None
