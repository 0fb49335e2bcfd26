"""What is a script made of? Everything that can happen to an engine, in the order of happening.

A script is a list of steps. It can be written as Python, so that one that failed can be pasted as a test.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields, replace

from engine.commands import Command
from engine.values import State


class Do(Struct, frozen=True):
    """Somebody asks for something."""

    command: Command
    time_ms: int


class Quoted(Struct, frozen=True):
    """A product has these prices now; if it is open, what they reach is done.

    `meanwhile` is a command that comes in after the first of what they reach.
    """

    product: str
    bid: Decimal
    ask: Decimal
    time_ms: int
    state: State = "open"
    meanwhile: Command | None = None


class Waited(Struct, frozen=True):
    """Time went by: what has expired is cancelled."""

    time_ms: int


class Committed(Struct, frozen=True):
    """Everything up to here is safe."""


class Crashed(Struct, frozen=True):
    """The engine is gone with all that was not committed, and all quotes; it starts again from its journal."""


Step = Do | Quoted | Waited | Committed | Crashed

IMPORTS = """from decimal import Decimal

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields, replace

from engine.commands import *
from engine.values import AccountId, Terms
from simulation.driver import Driver
from simulation.script import Committed, Crashed, Do, Quoted, Waited
"""


def plainer(step: Step) -> Iterator[Step]:
    """Yield what is less than a quote with a command in its midst: the command alone, the quote alone."""
    if isinstance(step, Quoted) and step.meanwhile is not None:
        yield Do(step.meanwhile, step.time_ms)
        yield replace(step, meanwhile=None)


def as_test(name: str, says: str, script: Iterable[Step]) -> str:
    """Return the text of a test that plays the script. `says` is what it found."""
    steps = "".join(f"        {python(step)},\n" for step in script)
    comment = says if len(says) < 1000 else f"{says[:1000]}…"
    return f"{IMPORTS}\n\ndef test_{name}():\n    # {comment}\n    Driver().play_all([\n{steps}    ])\n"


def python(value: object) -> str:
    """Write a step, or what is in it, as Python without what is so by default.

    >>> from simulation.script import Waited
    >>> python(Waited(1700000000000))
    'Waited(time_ms=1700000000000)'
    """
    if isinstance(value, Struct):
        parts = [
            f"{each.name}={python(getattr(value, each.name))}"
            for each in fields(value)
            if each.default is NODEFAULT or getattr(value, each.name) != each.default
        ]
        return f"{type(value).__name__}({', '.join(parts)})"
    return repr(value)
