"""Budgets per time and counts of what is open, the same for all processes.

With Valkey, one script each does it atomically; without, or while Valkey is away, this process's memory does (stricter
rules across processes then wait for it to come back).
"""

import logging
import time
import uuid
from collections import deque
from typing import Any

from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

TIMEOUT_S = 0.5
"""How long a limit may hold up a message: then this process decides alone."""

MEMBER_EXPIRES_S = 30
"""A connection of a process that was killed counts for this long; living ones are refreshed every 10 s."""

MAX_SUBJECTS = 100_000
"""Addresses and keys remembered in memory: beyond it the longest unused go."""

# KEYS[1]: a list of the times spent; ARGV: now ms, window ms, count, id.
_TAKE = """
local now, window, count = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
if redis.call('ZCARD', KEYS[1]) < count then
  redis.call('ZADD', KEYS[1], now, ARGV[4])
  redis.call('PEXPIRE', KEYS[1], window)
  return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return math.max(1, math.ceil(oldest[2] + window - now))
"""

# KEYS[1]: member -> when it expires; ARGV: now s, expiry s, limit, member.
_ENTER = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZSCORE', KEYS[1], ARGV[4]) == false and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[4])
redis.call('EXPIRE', KEYS[1], 120)
return 1
"""


class _Window:
    """One process's sliding windows: (name, subject) -> the times spent, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, str], deque[float]] = {}

    def take(self, place: tuple[str, str], *, count: int, per_s: float) -> int:
        now_s = time.monotonic()
        spent = self._spent.pop(place, None) or deque()
        while spent and spent[0] <= now_s - per_s:
            spent.popleft()
        self._spent[place] = spent
        if len(self._spent) > MAX_SUBJECTS:
            del self._spent[next(iter(self._spent))]
        if len(spent) < count:
            spent.append(now_s)
            return 0
        return max(1, round((spent[0] + per_s - now_s) * 1000))

    def give_back(self, place: tuple[str, str]) -> None:
        spent = self._spent.get(place)
        if spent:
            spent.pop()


class Budgets:
    """So many per time and subject. What is refused consumes nothing."""

    def __init__(self, redis_url: str) -> None:
        self._memory = _Window()
        self._url = redis_url
        self._async: Any = _async_client(redis_url)
        self._sync: Any = _sync_client(redis_url)

    async def take(self, name: str, subject: str, *, count: int, per_s: float) -> int:
        """Spend one; return 0, or in how many ms there will be one to spend."""
        if self._async is not None:
            try:
                return int(await self._async.eval(_TAKE, 1, *_take_arguments(name, subject, count, per_s)))
            except (RedisError, OSError) as error:
                _say_away(error)
        return self._memory.take((name, subject), count=count, per_s=per_s)

    async def give_back(self, name: str, subject: str, *, count: int, per_s: float) -> None:
        """Undo the newest `take`: what it was spent on has been refused."""
        if self._async is not None:
            try:
                await self._async.zpopmax(_key(name, subject))
                return
            except (RedisError, OSError) as error:
                _say_away(error)
        self._memory.give_back((name, subject))

    def take_sync(self, name: str, subject: str, *, count: int, per_s: float) -> int:
        """Do what `take` does, for REST's threads."""
        if self._sync is not None:
            try:
                return int(self._sync.eval(_TAKE, 1, *_take_arguments(name, subject, count, per_s)))
            except (RedisError, OSError) as error:
                _say_away(error)
        return self._memory.take((name, subject), count=count, per_s=per_s)


class Occupancy:
    """How many connections an address or a key has open, in all processes."""

    def __init__(self, redis_url: str) -> None:
        self._redis: Any = _async_client(redis_url)
        # this process's own: (kind, subject) -> members
        self._members: dict[tuple[str, str], set[str]] = {}

    async def enter(self, kind: str, subject: str, member: str, *, limit: int) -> bool:
        """Count a connection in; return False, and count nothing, when that would be one too many (0: no limit)."""
        place = (kind, subject)
        own = self._members.setdefault(place, set())
        if limit and len(own) >= limit and member not in own:
            return False
        own.add(member)
        if limit and self._redis is not None and not await self._enter_shared(kind, subject, member, limit):
            self._discard(place, member)
            return False
        return True

    async def leave(self, kind: str, subject: str, member: str) -> None:
        self._discard((kind, subject), member)
        if self._redis is not None:
            try:
                await self._redis.zrem(_key(kind, subject), member)
            except (RedisError, OSError) as error:
                _say_away(error)

    async def refresh(self) -> None:
        """Say that this process's connections are still there."""
        if self._redis is None:
            return
        expires_s = time.time() + MEMBER_EXPIRES_S
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for (kind, subject), members in self._members.items():
                    pipeline.zadd(_key(kind, subject), dict.fromkeys(members, expires_s))
                    pipeline.expire(_key(kind, subject), 4 * MEMBER_EXPIRES_S)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            _say_away(error)

    async def close(self) -> None:
        """Take this process's connections out of the count."""
        for (kind, subject), members in list(self._members.items()):
            for member in list(members):
                await self.leave(kind, subject, member)

    async def _enter_shared(self, kind: str, subject: str, member: str, limit: int) -> bool:
        now_s = time.time()
        try:
            arguments = (_key(kind, subject), now_s, now_s + MEMBER_EXPIRES_S, limit, member)
            return bool(await self._redis.eval(_ENTER, 1, *arguments))
        except (RedisError, OSError) as error:
            _say_away(error)
            return True

    def _discard(self, place: tuple[str, str], member: str) -> None:
        members = self._members.get(place, set())
        members.discard(member)
        if not members:
            self._members.pop(place, None)


def _take_arguments(name: str, subject: str, count: int, per_s: float) -> tuple[Any, ...]:
    return _key(name, subject), time.time_ns() // 1_000_000, int(per_s * 1000), count, uuid.uuid4().hex


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


def _say_away(error: Exception) -> None:
    logger.warning("Limits are counted per process: Valkey does not answer (%s)", type(error).__name__)
