"""Running things together on the event loop."""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

CANCEL_AGAIN_SECONDS = 10.0
"""Until a task that was cancelled and goes on is cancelled again. Ours: longer than any ends in good order."""


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
        await cancelled(tasks)
    for task in done:
        task.result()


async def cancelled(tasks: Collection[asyncio.Task[Any]], *, again_seconds: float | None = None) -> None:
    """Cancel tasks and wait until they have ended, whatever comes of them.

    Once is not always enough: before Python 3.12 `asyncio.wait_for`, in which an MQTT client waits for a receipt, gives
    back a result that has just come instead of being cancelled (python/cpython issue 86296), and the task goes on.

    Args:
        tasks: The tasks.
        again_seconds: After this long those that go on are cancelled again; None: after `CANCEL_AGAIN_SECONDS`.
    """
    wait = CANCEL_AGAIN_SECONDS if again_seconds is None else again_seconds
    going_on = set(tasks)
    while going_on:
        for task in going_on:
            task.cancel()
        _, going_on = await asyncio.wait(going_on, timeout=wait)
    await asyncio.gather(*tasks, return_exceptions=True)
