"""Who is asking: what a proven key or browser session entitles to."""

from dataclasses import dataclass

VIEW_OVERVIEW = "accounts.view_overview"
"""Django's name of the permission to watch the overview."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A proven caller. Exactly one of `key_id` (an API key's UUID) and `session` (a browser session's digest) is set.

    `scopes` are of market, read, trade, feed (none implies another); `environments` of live, demo.
    `generation` says which of the key's secrets it was (1, 2, …). `expires_ms` (wall clock, ms; None: never) is the
    earlier of the key's expiry and that secret's end, as far as they were known when it was proven.
    `rights` are Django's permissions that streams look at; only a socket of a page of staff has any.
    """

    user_id: int
    username: str
    scopes: frozenset[str]
    environments: frozenset[str]
    key_id: str = ""
    session: str = ""
    generation: int = 0
    expires_ms: int | None = None
    rights: frozenset[str] = frozenset()
