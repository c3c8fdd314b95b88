"""Running things together on the event loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_first_failure(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Run coroutines together until one ends or raises; then cancel and await the others.

    Unlike a plain `asyncio.TaskGroup` it raises the error itself, so that callers may catch a library's error by name.

    Raises:
        Exception: The first error of any of them.
    """
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
