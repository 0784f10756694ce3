"""A story told with one push process, in a loop of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rahdari.push.app import Push


def running(data: Path, story: Callable[[Push], Awaitable[None]], **settings: Any) -> None:
    async def told() -> None:
        push = Push(data, **settings)
        push.begin()
        try:
            await story(push)
        finally:
            await push.end()

    asyncio.run(told())
