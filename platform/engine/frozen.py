"""Frozen dataclasses whose freezing costs nothing: the type checker watches over it, not each attribute as it is set.

`dataclass(frozen=True)` sets each field by a call of its own, which makes an order of 17 fields take four times as
long; every command makes a dozen such values. Nothing in the project may assign to a field, and mypy (`make test`)
refuses whatever does.
"""

from typing import TYPE_CHECKING

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    import dataclasses

    def dataclass(*, frozen: bool, slots: bool, kw_only: bool = False):
        """Make a dataclass that is compared and hashed as a frozen one."""
        return dataclasses.dataclass(slots=slots, kw_only=kw_only, unsafe_hash=frozen)
