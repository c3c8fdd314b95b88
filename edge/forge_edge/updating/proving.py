"""Proves releases in a child process, which may crash, hang or run out of memory without anybody noticing."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from forge_edge.errors import UpdateRefusedError
from forge_shared.releases import Manifest

PROVE_SECONDS: Final = 180.0
"""Loading an engine takes up to half a minute on a Pi, and this process gives way to all others. Ours: thrice that."""
BUILD_SECONDS: Final = 1800.0
"""TensorRT takes minutes for an engine on an Orin Nano; there are two, and the room comes first. Ours."""
_END_SECONDS: Final = 5.0
_ANSWER_BYTES: Final = 4096


class ChildProver:
    """Runs ``forge-edge prove``; see `Prover`.

    Args:
        command: The program that proves; ``FOLDER`` and options are added.
        prove_seconds: How long a proof may take.
        build_seconds: How long building may take.
        builds: Whether this device builds engines of its own; default: where TensorRT is installed.
    """

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-m", "forge_edge", "prove"),
        *,
        prove_seconds: float = PROVE_SECONDS,
        build_seconds: float = BUILD_SECONDS,
        builds: bool | None = None,
    ) -> None:
        self._command = tuple(command)
        self._prove_seconds = prove_seconds
        self._build_seconds = build_seconds
        self._builds = find_spec("tensorrt") is not None if builds is None else builds

    async def prove(self, folder: Path, manifest: Manifest) -> None:
        """See `Prover`."""
        if manifest.role == "pose" and self._builds:
            await self._said(folder, "--build", limit_seconds=self._build_seconds, late="build-slow")
        said = await self._said(folder, limit_seconds=self._prove_seconds, late="golden-slow")
        off = said.get("off")
        if not isinstance(off, int | float) or not off <= manifest.golden.tolerance:
            raise UpdateRefusedError("golden-differs")

    async def _said(self, folder: Path, *options: str, limit_seconds: float, late: str) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *self._command, str(folder), *options, stdin=DEVNULL, stdout=PIPE
        )
        try:
            async with asyncio.timeout(limit_seconds):
                assert process.stdout is not None, "it was asked for"  # noqa: S101 (for the type checker)
                answer = await process.stdout.read(_ANSWER_BYTES)
                await process.wait()
        except TimeoutError:
            raise UpdateRefusedError(late) from None
        finally:
            await _end(process)
        return _read(answer)


def _read(answer: bytes) -> dict[str, Any]:
    try:
        said = json.loads(answer)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise UpdateRefusedError("golden-crashed")
    refused = said.get("refused")
    if isinstance(refused, str):
        raise UpdateRefusedError(refused)
    return said


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await asyncio.wait((asyncio.ensure_future(process.wait()),), timeout=_END_SECONDS)
