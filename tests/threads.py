"""Database calls out of asynchronous tests."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from accounts.database import released


async def in_thread(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Run a database call in a thread that keeps no connection behind."""
    return await asyncio.to_thread(released, partial(call, *arguments, **named))
