"""How a pass says how far it is, and is stopped."""

from typing import Protocol

from forge_hub.passes.runs import PassName


class Step(Protocol):
    """Is told before each chunk where a pass is. Raises `RunStoppedError` to stop it."""

    def __call__(self, name: PassName, chunk: int, chunks: int, /) -> None:
        """Say that a pass is about to do a chunk of so many; 0: it is not known yet of how many."""


class Beat(Protocol):
    """Is called while a pass waits. Raises `RunStoppedError` to stop it."""

    def __call__(self) -> None:
        """Say that it still waits."""
