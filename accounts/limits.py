"""Budgets per time and counts of what is open, the same for all processes.

With Valkey, one script each does it atomically and by Valkey's clock; without, or while Valkey is away, this process's
memory does (stricter rules across processes then wait for it to come back).
"""

import logging
import math
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

TIMEOUT_S = 0.5
"""How long a limit may hold up a message: then this process decides alone."""

AWAY_S = 1
"""How long a Valkey that did not answer is left alone: one that hangs must not hold up every message."""

MEMBER_EXPIRES_S = 30
"""A connection of a process that was killed counts for this long; living ones are refreshed every 10 s."""

MAX_SUBJECTS = 100_000
"""Addresses and keys remembered in memory: beyond it the longest unused go."""

Clock = Callable[[], float]
"""Milliseconds. Left out, it is the monotonic clock in memory and Valkey's own there: hosts' clocks differ."""

_NOW = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + time[2] / 1000
end
"""

# KEYS[1]: a list of the times spent; ARGV: now ms (or empty), window ms, count, id.
# What was spent in the future was spent before the clock was set back.
_TAKE = (
    _NOW
    + """
local window, count = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.17g', now), '+inf')
if redis.call('ZCARD', KEYS[1]) < count then
  redis.call('ZADD', KEYS[1], now, ARGV[4])
  redis.call('PEXPIRE', KEYS[1], window)
  return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return math.max(1, math.ceil(oldest[2] + window - now))
"""
)

# KEYS[1]: member -> when it expires; ARGV: now ms (or empty), lifetime ms, limit (or empty), member…
# Returns 0 when the one member would be one too many.
_ENTER = (
    _NOW
    + """
local lifetime, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if limit and not redis.call('ZSCORE', KEYS[1], ARGV[4]) and redis.call('ZCARD', KEYS[1]) >= limit then
  return 0
end
for i = 4, #ARGV do
  redis.call('ZADD', KEYS[1], now + lifetime, ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], 4 * lifetime)
return 1
"""
)


class _Window:
    """One process's sliding windows: (name, subject) -> the times spent. REST's threads share them."""

    def __init__(self, now_ms: Clock) -> None:
        self._now_ms = now_ms
        self._spent: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def take(self, place: tuple[str, str], *, count: int, per_s: float) -> int:
        with self._lock:
            now_ms, window_ms = self._now_ms(), per_s * 1000
            spent = self._spent.pop(place, None) or deque()
            while spent and spent[0] <= now_ms - window_ms:
                spent.popleft()
            self._spent[place] = spent
            if len(self._spent) > MAX_SUBJECTS:
                del self._spent[next(iter(self._spent))]
            if len(spent) < count:
                spent.append(now_ms)
                return 0
            return max(1, math.ceil(spent[0] + window_ms - now_ms))

    def give_back(self, place: tuple[str, str]) -> None:
        with self._lock:
            spent = self._spent.get(place)
            if spent:
                spent.pop()


class _Presence:
    """Whether Valkey is asked at all: after a failure it is left alone for a while, and that is said."""

    def __init__(self) -> None:
        self._away_until_s = 0.0

    @property
    def likely(self) -> bool:
        return time.monotonic() >= self._away_until_s

    def failed(self, error: Exception) -> None:
        self._away_until_s = time.monotonic() + AWAY_S
        logger.warning("Limits are counted per process: Valkey does not answer (%s)", type(error).__name__)


class Budgets:
    """So many per time and subject. What is refused consumes nothing."""

    def __init__(self, redis_url: str, *, now_ms: Clock | None = None) -> None:
        self._memory = _Window(now_ms or _monotonic_ms)
        self._now_ms = now_ms
        self._presence = _Presence()
        self._async: Any = _async_client(redis_url)
        self._sync: Any = _sync_client(redis_url)

    async def take(self, name: str, subject: str, *, count: int, per_s: float) -> int:
        """Spend one; return 0, or in how many ms there will be one to spend."""
        if self._async is not None and self._presence.likely:
            try:
                return int(await self._async.eval(_TAKE, 1, *self._arguments(name, subject, count, per_s)))
            except (RedisError, OSError) as error:
                self._presence.failed(error)
        return self._memory.take((name, subject), count=count, per_s=per_s)

    async def give_back(self, name: str, subject: str, *, count: int, per_s: float) -> None:
        """Undo the newest `take`: what it was spent on has been refused."""
        if self._async is not None and self._presence.likely:
            try:
                await self._async.zpopmax(_key(name, subject))
                return
            except (RedisError, OSError) as error:
                self._presence.failed(error)
        self._memory.give_back((name, subject))

    def take_sync(self, name: str, subject: str, *, count: int, per_s: float) -> int:
        """Do what `take` does, for REST's threads."""
        if self._sync is not None and self._presence.likely:
            try:
                return int(self._sync.eval(_TAKE, 1, *self._arguments(name, subject, count, per_s)))
            except (RedisError, OSError) as error:
                self._presence.failed(error)
        return self._memory.take((name, subject), count=count, per_s=per_s)

    def _arguments(self, name: str, subject: str, count: int, per_s: float) -> tuple[Any, ...]:
        return _key(name, subject), _argument(self._now_ms), int(per_s * 1000), count, uuid.uuid4().hex


class Occupancy:
    """How many connections an address or a key has open, in all processes."""

    def __init__(self, redis_url: str, *, now_ms: Clock | None = None) -> None:
        self._redis: Any = _async_client(redis_url)
        self._now_ms = now_ms
        self._presence = _Presence()
        # this process's own: (kind, subject) -> members
        self._members: dict[tuple[str, str], set[str]] = {}

    async def enter(self, kind: str, subject: str, member: str, *, limit: int) -> bool:
        """Count a connection in; return False, and count nothing, when that would be one too many (0: no limit)."""
        place = (kind, subject)
        own = self._members.setdefault(place, set())
        if limit and len(own) >= limit and member not in own:
            return False
        own.add(member)
        if limit and not await self._enter_shared(kind, subject, member, limit):
            self._discard(place, member)
            return False
        return True

    async def leave(self, kind: str, subject: str, member: str) -> None:
        self._discard((kind, subject), member)
        if self._redis is not None and self._presence.likely:
            try:
                await self._redis.zrem(_key(kind, subject), member)
            except (RedisError, OSError) as error:
                self._presence.failed(error)

    async def refresh(self) -> None:
        """Say that this process's connections are still there."""
        if self._redis is None:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for (kind, subject), members in self._members.items():
                    pipeline.eval(_ENTER, 1, *self._arguments(kind, subject, "", *members))
                await pipeline.execute()
        except (RedisError, OSError) as error:
            self._presence.failed(error)

    async def close(self) -> None:
        """Take this process's connections out of the count."""
        for (kind, subject), members in list(self._members.items()):
            for member in list(members):
                await self.leave(kind, subject, member)

    async def _enter_shared(self, kind: str, subject: str, member: str, limit: int) -> bool:
        if self._redis is None or not self._presence.likely:
            return True
        try:
            return bool(await self._redis.eval(_ENTER, 1, *self._arguments(kind, subject, limit, member)))
        except (RedisError, OSError) as error:
            self._presence.failed(error)
            return True

    def _arguments(self, kind: str, subject: str, limit: int | str, *members: str) -> tuple[Any, ...]:
        return _key(kind, subject), _argument(self._now_ms), MEMBER_EXPIRES_S * 1000, limit, *members

    def _discard(self, place: tuple[str, str], member: str) -> None:
        members = self._members.get(place, set())
        members.discard(member)
        if not members:
            self._members.pop(place, None)


def _monotonic_ms() -> float:
    return time.monotonic() * 1000


def _argument(now_ms: Clock | None) -> float | str:
    """Return a script's `now`: empty lets Valkey look at its own clock."""
    return "" if now_ms is None else now_ms()


def _key(name: str, subject: str) -> str:
    return f"tickwire:limit:{name}:{subject}"


def _async_client(url: str) -> Any:
    if not url:
        return None
    import redis.asyncio

    return redis.asyncio.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=None)


def _sync_client(url: str) -> Any:
    if not url:
        return None
    import redis

    return redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=None)
