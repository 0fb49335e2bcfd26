"""What the database says about a key, for the seconds after it was asked: a client that calls ten times a second, or
connects a hundred times at once, costs one look-up.

Whoever takes access away, or hears of it, calls `forget_keys`: an end is not seen later than without this.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from accounts.models import ApiKeyGeneration

KEPT_S = 2.0
"""How late another process's change of a key's scopes, addresses or expiry holds; its end holds at once."""

MAX_KEPT = 10_000
"""Keys in use at the same time, about 20 MB; beyond it all of them are looked up anew."""

_Found = TypeVar("_Found")


class Kept(Generic[_Found]):
    """name -> what was found, for any thread. Nothing that was not found is kept: a new key counts at once."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._found: dict[object, tuple[float, _Found]] = {}
        self._age = 0

    def get(self, name: object) -> _Found | None:
        """Return what was read under this name not long ago, if anything was."""
        kept = self._found.get(name)
        return kept[1] if kept is not None and self._clock_s() - kept[0] <= KEPT_S else None

    def read(self, name: object, read: Callable[[], _Found | None]) -> _Found | None:
        """Read it, and keep it under this name."""
        now_s, age = self._clock_s(), self._age
        found = read()
        if found is not None:
            if len(self._found) >= MAX_KEPT:
                self._found.clear()
            self._found[name] = (now_s, found)
            if age != self._age:
                # Somebody said `forget` since. Asked behind the keeping, for other threads may come between.
                self._found.pop(name, None)
        return found

    def forget(self) -> None:
        self._age += 1
        self._found.clear()


kept_generations: "Kept[ApiKeyGeneration]" = Kept()
"""A secret's digest -> the generation of a key that it is."""

kept_newest: "Kept[tuple[ApiKeyGeneration, ...]]" = Kept()
"""A key's public id -> its newest generations."""


def forget_keys() -> None:
    """Look keys up anew: somebody's access has ended, or somewhere a key has changed."""
    kept_generations.forget()
    kept_newest.forget()
