"""What the administrator asks of the hub that serves: done between two steps of the projections, never beside one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from forge_hub import access
from forge_hub.control import Handler
from forge_hub.erasure import Eraser
from forge_hub.graph import exporting
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import rebuild
from forge_hub.projection import Runner, paused
from forge_hub.records.database import Database
from forge_hub.records.retention import Kept
from forge_hub.retention import forget
from forge_shared.clock import Clock


class Housekeeping:
    """Carries out commands in the serving hub. Runs on the event loop; the work itself is done in a thread.

    Args:
        database: The records.
        graph: The graph.
        runners: Every projection there is: none may run while what it reads is erased.
        clock: Dates what is done.
        eraser: Erases people.
        kept_days: For how many days what is kept.
        on_derived: Called when the graph was derived anew, for what else is derived beside it; may block.
        on_forgotten: Called when events were forgotten, likewise.
        on_changed: Called when what pages show may have changed; must not block.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring, by keyword)
        self,
        database: Database,
        graph: GraphStore,
        *,
        runners: Sequence[Runner],
        clock: Clock,
        eraser: Eraser,
        kept_days: Mapping[Kept, int],
        on_derived: Callable[[], object],
        on_forgotten: Callable[[], object],
        on_changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._graph = graph
        self._runners = runners
        self._clock = clock
        self._eraser = eraser
        self._kept_days = kept_days
        self._on_derived = on_derived
        self._on_forgotten = on_forgotten
        self._on_changed = on_changed

    @property
    def commands(self) -> Mapping[str, Handler]:
        """What the control socket offers."""
        return {
            "graph-rebuild": self.rebuild_graph,
            "graph-export": self.export_graph,
            "erase": self.erase,
            "retention": self.forget_old,
        }

    async def rebuild_graph(self) -> Mapping[str, Any]:
        """Drop the graph and derive it anew."""
        async with paused(self._runners):
            events = await asyncio.to_thread(rebuild, self._database, self._graph)
            await asyncio.to_thread(self._on_derived)
        return {"events": events, **await asyncio.to_thread(self._graph.counts)}

    async def export_graph(self, file: str, form: str, person: str | None) -> Mapping[str, Any]:
        """Write the graph, or one person's part of it, into a file."""
        return await asyncio.to_thread(exporting.export, self._graph, Path(file), form, person)

    async def erase(self, pseudonym: str, reason: str) -> Mapping[str, Any]:
        """Erase a person everywhere; return the proof."""
        async with paused(self._runners):
            proof = await asyncio.to_thread(
                self._eraser.erase, pseudonym, at=self._clock.now(), by=access.COMMAND_LINE, reason=reason
            )
        self._on_changed()
        return proof.as_json()

    async def forget_old(self) -> Mapping[str, Any]:
        """Forget what was kept long enough; return how many events of each kind."""
        async with paused(self._runners):
            forgotten = await asyncio.to_thread(forget, self._database, self._graph, self._kept_days, self._clock.now())
            if any(forgotten.values()):
                await asyncio.to_thread(self._on_forgotten)
            return forgotten
