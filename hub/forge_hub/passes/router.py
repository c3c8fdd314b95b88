"""The router: passes A, B and C in their order, each given only its own tools, stopped and continued at any point."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from forge_hub.passes.errors import RunStoppedError
from forge_hub.passes.pass_a import PassA, Transcript
from forge_hub.passes.pass_b import LogDesk, PassB
from forge_hub.passes.pass_c import GraphDesk, PassC
from forge_hub.passes.rows import Redact
from forge_hub.passes.runs import PassName, RunFolder
from forge_hub.passes.steps import Step

LOOK_SECONDS = 0.1
"""How often a run looks whether somebody has asked it to stop: it stops within a second."""


class Desk(LogDesk, GraphDesk, Protocol):
    """The stores, as passes B and C together need them."""


def route(  # noqa: PLR0913 (what the three passes work with, by keyword)
    folder: RunFolder,
    passes: Sequence[PassName],
    *,
    step: Step,
    transcript: Transcript | None = None,
    redact: Redact | None = None,
    desk: Desk | None = None,
) -> dict[str, int]:
    """Do the passes that are asked for, in their order.

    Args:
        folder: The run.
        passes: Which.
        step: Is told before each chunk; raises to stop.
        transcript: What pass A reads.
        redact: What pass A redacts with.
        desk: What passes B and C work at.

    Returns:
        What was done: chunks, new events, nodes and edges.

    Raises:
        PassError: A pass could not do its work, or lacks what it works with.
        RunStoppedError: It was stopped; the same call goes on from there.
    """
    done: dict[str, int] = {}
    if "a" in passes and transcript is not None and redact is not None:
        done["chunks"] = PassA(folder, redact, step).run(transcript)
    if "b" in passes and desk is not None:
        done["events"] = PassB(folder, desk, step).run()
    if "c" in passes and desk is not None:
        done["nodes"], done["edges"] = PassC(folder, desk, step).run()
    return done


class Pace:
    """Says how far a run is, and in single step waits before each chunk.

    Args:
        folder: The run.
        wait: Waits for the word to go on and tells whether it came; None: does not wait.
    """

    def __init__(self, folder: RunFolder, wait: Callable[[], bool] | None = None) -> None:
        self._folder = folder
        self._wait = wait
        self._last: tuple[str, int] | None = None

    def __call__(self, name: PassName, chunk: int, chunks: int) -> None:
        """Take note of a step.

        Raises:
            RunStoppedError: Somebody asked the run to stop.
        """
        if self._folder.is_to_stop():
            raise RunStoppedError("stopped; the same command goes on from here")
        if (name, chunk) == self._last:
            return
        self._last = (name, chunk)
        of = f" of {chunks}" if chunks else ""
        print(f"forge-hub: pass {name}: chunk {chunk}{of}", file=sys.stderr, flush=True)  # noqa: T201 (for the person at the terminal)
        if self._wait is not None and not self._wait():
            raise RunStoppedError("stopped; the same command goes on from here")


@contextmanager
def stoppable(folder: RunFolder) -> Iterator[None]:
    """Let SIGINT, SIGTERM and a request in the run's folder end the block by `RunStoppedError`, within a second.

    It may be raised anywhere: every file and transaction is whole or not there. Called in the main thread.
    """
    folder.go_on()
    over = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        # Where a library swallows the error, the next step finds the request.
        folder.ask_to_stop()
        raise RunStoppedError("stopped; the same command goes on from here")

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            if folder.is_to_stop():
                # To the main thread itself, which may be waiting for somebody to press a key.
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
                return

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    looking = threading.Thread(target=look, name="stop", daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        folder.go_on()
