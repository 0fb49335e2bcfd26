"""Who is asking: what a proven key or browser session entitles to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A proven caller. Exactly one of `key_id` (an API key's UUID) and `session` (a browser session's digest) is set.

    `scopes` are of market, read, trade, feed (none implies another); `environments` of live, demo.
    """

    user_id: int
    username: str
    scopes: frozenset[str]
    environments: frozenset[str]
    key_id: str = ""
    session: str = ""
