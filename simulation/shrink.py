"""Which steps of a failing script are needed for it to fail, and how plain may they be? Delta debugging, within a time.

Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input (2002), the algorithm ddmin.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeVar

StepT = TypeVar("StepT")


def shrunk(
    script: list[StepT],
    fails: Callable[[list[StepT]], bool],
    out_of_time: Callable[[], bool] = lambda: False,
    plainer: Callable[[StepT], Iterable[StepT]] = lambda step: (),
) -> list[StepT]:
    """Return a script that still fails; taking any one step away would mend it, unless the time was over before.

    `plainer` names what is less than a step and may stand in its place; in what is returned that would mend it too.

    >>> shrunk(list("the quick brown fox"), lambda letters: "q" in letters and "x" in letters)
    ['q', 'x']
    """
    found: list[StepT] | None = script
    while found is not None:
        script = _needed(found, fails, out_of_time)
        # One step that is two things at once keeps others in the script that neither of the two needs.
        found = _with_a_plainer_step(script, plainer, fails, out_of_time)
    return script


def _needed(script: list[StepT], fails: Callable[[list[StepT]], bool], out_of_time: Callable[[], bool]) -> list[StepT]:
    """Return the steps that are needed: ddmin."""
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


def _with_a_plainer_step(
    script: list[StepT],
    plainer: Callable[[StepT], Iterable[StepT]],
    fails: Callable[[list[StepT]], bool],
    out_of_time: Callable[[], bool],
) -> list[StepT] | None:
    """Return the script with one step made plainer."""
    for place, step in enumerate(script):
        for other in plainer(step):
            if out_of_time():
                return None
            changed = [*script[:place], other, *script[place + 1 :]]
            if fails(changed):
                return changed
    return None
