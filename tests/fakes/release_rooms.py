"""Rooms that do with a release what a node does, without a model: they look what they shall have, fetch, try, go back.

``release_rooms.py PLAN`` where the plan is a JSON file, that of the light rooms with ``hub``, the hub's state folder,
and ``busy``, the rooms in which somebody needs the room for ever. What a room is told comes by its desired twin, and
what it says goes through the shipped anonymiser, outbox and publisher to a real broker; only the signed list of what it
shall have is read from the hub's folder instead of by HTTPS.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final, Literal

from tests.fakes.light_rooms import LightRoom
from tuf.api.metadata import Metadata, Targets

from forge_edge.observations import ReleaseObserved
from forge_shared import logs
from forge_shared.releases import ReleaseRole
from forge_shared.wire import RoomRelease, TwinDesired, TwinReported

ROLE: Final[ReleaseRole] = "pose"
STEP_SECONDS: Final = 0.4
STEPS: Final = (0, 34, 67, 100)


class ReleaseRoom(LightRoom):
    """One room."""

    def __init__(self, plan: dict[str, Any], name: str) -> None:
        super().__init__(plan, name)
        self._director = Path(plan["hub"]) / "releases" / "director" / "nodes" / name / "metadata"
        self._is_busy = name in plan["busy"]
        self._told = 0
        self._release = RoomRelease(role=ROLE)

    async def live(self) -> None:
        """Do what it is told, until cancelled."""
        self._say()
        while True:
            await asyncio.sleep(STEP_SECONDS)
            wanted = self._wanted()
            if wanted not in {None, self._release.serving, self._release.next}:
                await self._take(str(wanted))
            elif wanted is None and (self._release.serving or self._release.next):
                await self._go_back()

    async def _take(self, target: str) -> None:
        for percentage in STEPS:
            self._say(state="fetching", next=target, percentage=percentage)
            await asyncio.sleep(STEP_SECONDS)
        if self._is_busy:
            self._say(state="waiting", next=target)
            return
        await self._happened("on-trial", target)
        self._say(state="on-trial", serving=target, latency_ms=43.2, memory_mb=310.0, trial_seconds=0.0)

    async def _go_back(self) -> None:
        if self._release.serving is not None:
            await self._happened("rolled-back", self._release.serving, "withdrawn")
        self._say()

    async def _happened(
        self, outcome: Literal["on-trial", "rolled-back"], target: str, reason: str | None = None
    ) -> None:
        serves = "0" * 64 if outcome == "on-trial" else None
        observed = ReleaseObserved(ROLE, outcome, target, "1.0.0", serves, "manual", reason)
        event = self.anonymiser.event_of(observed)
        assert event is not None
        await asyncio.to_thread(self.outbox.append, event)
        self.publisher.wake()

    def _say(self, **release: Any) -> None:
        self._release = RoomRelease(role=ROLE, **release)
        self.publisher.report(
            TwinReported(
                hearing="ok",
                sight="ok",
                activity="form" if self._is_busy else "idle",
                session_on=False,
                pending_events=0,
                version="0",
                at=self.clock.now(),
                hardware="x86",
                releases=(self._release,),
            )
        )

    def _wanted(self) -> str | None:
        if not self._told:
            return None
        content = (self._director / f"{self._told}.targets.json").read_bytes()
        return next(iter(Metadata[Targets].from_bytes(content).signed.targets), None)

    async def _on_desired(self, desired: TwinDesired) -> None:
        self._told = desired.releases or 0


async def main(plan: dict[str, Any]) -> None:
    await asyncio.gather(*(ReleaseRoom(plan, name).run() for name in plan["rooms"]))


if __name__ == "__main__":
    logs.configure("release-rooms", level="ERROR")
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
