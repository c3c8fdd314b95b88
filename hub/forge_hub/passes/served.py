"""The stores as a command sees them whose hub serves: it asks over the control socket, the hub does the work."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from forge_hub import control
from forge_hub.errors import HubError
from forge_hub.passes.errors import PassError
from forge_hub.passes.pass_c import Drawn
from forge_hub.passes.removal import Remover
from forge_hub.passes.runs import RunFolder
from forge_hub.passes.steps import Beat
from forge_hub.passes.stores import LOOK_SECONDS, Stores
from forge_hub.projection import Runner, paused


class ServedDesk:
    """Asks the hub that serves. Implements `forge_hub.passes.router.Desk`.

    Args:
        socket: The hub's control socket.
        folder: Its state folder, where it leaves what it draws.
    """

    def __init__(self, socket: Path, folder: Path) -> None:
        self._socket = socket
        self._folder = folder

    def commit(self, run: str, chunk: int) -> int:
        """Log a chunk of a run; return how many events are new."""
        return int(self._ask("mind-commit", run=run, chunk=str(chunk))["events"])

    def file(self, run: str, beat: Beat) -> None:
        """Wait until the hub has filed everything."""
        del run
        self._wait(beat)

    def load(self, run: str, beat: Beat) -> None:
        """Wait until the hub's graph holds everything."""
        del run
        self._wait(beat)

    def draw(self, run: str, chunk: int) -> Drawn:
        """Return the part of the graph that a chunk's utterances are."""
        reply = self._ask("mind-draw", run=run, chunk=str(chunk))
        document, statements = RunFolder.open(self._folder, run).read_graph(chunk)
        return Drawn(document, statements, int(reply["nodes"]), int(reply["edges"]))

    def _wait(self, beat: Beat) -> None:
        while not self._ask("mind-settled")["settled"]:
            beat()
            time.sleep(LOOK_SECONDS)

    def _ask(self, command: str, **arguments: str) -> Mapping[str, Any]:
        reply = control.ask(self._socket, command, **arguments)
        if reply is None:
            raise PassError("the hub has ended; the same command goes on without it")
        if not reply.get("ok"):
            raise HubError(str(reply.get("error", "the hub refused")))
        return reply


class HubDesk:
    """What the control socket of a hub that serves offers to `ServedDesk`. Runs on the event loop, works in threads.

    Args:
        stores: The hub's stores, whose projections it runs itself.
        remover: Removes what a run has brought in.
        runners: All projections: none may run while what it reads is removed.
        folder: The state folder.
    """

    def __init__(self, stores: Stores, remover: Remover, runners: Sequence[Runner], folder: Path) -> None:
        self._stores = stores
        self._remover = remover
        self._runners = tuple(runners)
        self._folder = folder
        self._turn = asyncio.Lock()

    @property
    def commands(self) -> Mapping[str, control.Handler]:
        """The commands by name."""
        return {
            "mind-commit": self.commit,
            "mind-settled": self.settled,
            "mind-draw": self.draw,
            "mind-remove": self.remove,
            "audit-alignment": self.align,
        }

    async def commit(self, run: str, chunk: str) -> Mapping[str, Any]:
        """Log a chunk of a run."""
        async with self._turn:
            events = await asyncio.to_thread(self._stores.commit, run, _number(chunk))
        for runner in self._runners:
            runner.wake()
        return {"events": events}

    async def settled(self) -> Mapping[str, Any]:
        """Tell whether every store holds what the log does."""
        return {"settled": await asyncio.to_thread(self._stores.settled)}

    async def draw(self, run: str, chunk: str) -> Mapping[str, Any]:
        """Write the graph of a chunk into the run's folder."""
        async with self._turn:
            drawn = await asyncio.to_thread(self._stores.draw, run, _number(chunk))
            own = RunFolder.open(self._folder, run)
            await asyncio.to_thread(own.write_graph, _number(chunk), drawn.document, drawn.statements)
        return {"nodes": drawn.nodes, "edges": drawn.edges}

    async def remove(self, run: str, by: str) -> Mapping[str, Any]:
        """Remove what a run has brought in."""
        async with paused(self._runners):
            return await asyncio.to_thread(self._remover.remove, run, by)

    async def align(self) -> Mapping[str, Any]:
        """Compare the three stores while nothing changes them."""
        async with paused(self._runners):
            return (await asyncio.to_thread(self._stores.align)).as_json()


def _number(chunk: str) -> int:
    if not chunk.isdecimal():
        raise PassError("a chunk's number is a number")
    return int(chunk)
