"""Rooms without ears: the shipped outbox and publisher of several nodes in one process, and someone who makes events.

``light_rooms.py PLAN`` where the plan is a JSON file; killed and started again it goes on where the outboxes stand. It
ends when told to, not when everything is made. Its wall clock is shifted by the seconds in the plan's clock file.
"""

import asyncio
import json
import random
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from forge_edge.anonymiser import Anonymiser
from forge_edge.enrolment import client_context
from forge_edge.errors import OutboxError
from forge_edge.hub_voice import HubVoice
from forge_edge.observations import FormObserved, Observation, RequestObserved, RiskAnswerObserved
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.publisher import BrokerAddress, Publisher
from forge_edge.outbox.store import Outbox
from forge_edge.settings import load_credentials
from forge_shared import logs
from forge_shared.clock import SystemClock
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring
from forge_shared.topics import Lane
from forge_shared.wire import Command, LanePosition, TwinDesired

REPEATED = 0.2
"""Share of alarms that may be repeats of one call; the others are answers to a risk item, each an alert of its own."""
FORM = "https://personaforge.org/fhir/Questionnaire/phq-9|1.0.0"


class SteppedClock(SystemClock):
    """The machine's clock, as wrong as a file says."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now(self) -> datetime:
        try:
            shift = float(self._path.read_text())
        except (OSError, ValueError):
            shift = 0.0
        return super().now() + timedelta(seconds=shift)


class LightRoom:
    """One room."""

    def __init__(self, plan: dict[str, Any], name: str) -> None:
        self.name = name
        self.goals: dict[Lane, int] = {"alarm": plan["alarms"], "record": plan["records"]}
        self.per_second: float = plan["per_second"]
        folder = Path(plan["folder"]) / name
        folder.mkdir(exist_ok=True)
        credentials = load_credentials(Path(plan["credentials"]) / f"{name}.json")
        clock = SteppedClock(Path(plan["clock"]))
        self.told = Path(plan["told"]) / f"{name}.jsonl"
        self.anonymiser = Anonymiser(f"p-{name}", clock)
        self.clock = clock
        keyring = Keyring.open(folder / "device.key")
        self.outbox = Outbox(
            folder / "outbox.db", credentials.site, name, clock, limit_bytes=500_000_000, keyring=keyring
        )
        # What the disk does not take is tried again here, so that everything made is on it.
        self.publisher = Publisher(
            Outboxes(lambda: self.outbox, lambda: self.outbox),
            BrokerAddress(credentials.host, plan["port"] or credentials.port, lambda: client_context(credentials)),
            site=credentials.site,
            node=name,
            version="0",
            version_file=folder / "mqtt-version",
            clock=clock,
            voice=HubVoice(lambda: credentials, folder / "hub-signs", clock, is_told=lambda: False),
            on_command=self._on_command,
            on_desired=self._on_desired,
            on_hub=self._on_hub,
            on_acknowledged=self._on_acknowledged,
        )

    async def run(self) -> None:
        await asyncio.gather(self.publisher.run(), self.live())

    async def live(self) -> None:
        """Make events until the goals are reached, however often it is started."""
        made: dict[Lane, int] = {lane: await asyncio.to_thread(self.outbox.last_sequence, lane) for lane in self.goals}
        chance = random.Random(f"{self.name}/{made}")
        while left := [lane for lane in self.goals for _ in range(self.goals[lane] - made[lane])]:
            lane = chance.choice(left)
            event = self.anonymiser.event_of(self._observation(lane, chance))
            assert event is not None
            try:
                stored = await asyncio.to_thread(self.outbox.append, event)
            except OutboxError:
                await asyncio.sleep(0.2)
                continue
            made[lane] = stored.sequence
            # From here on the room has been told that it is safe.
            with self.told.open("a", encoding="utf-8") as told:
                told.write(json.dumps([lane, stored.sequence, stored.id]) + "\n")
            self.publisher.wake()
            if self.per_second:
                await asyncio.sleep(chance.expovariate(self.per_second))

    def _observation(self, lane: Lane, chance: random.Random) -> Observation:
        if lane == "record":
            return FormObserved(new_id(), FORM, "stopped", (), (), None, 0, self.clock.now())
        if chance.random() < REPEATED:
            return RequestObserved(request="nurse", mode="voice")
        return RiskAnswerObserved(new_id(), FORM, "44260-8", "LA6569-3", 1, "voice")

    async def _on_command(self, command: Command) -> None:
        pass

    async def _on_desired(self, desired: TwinDesired) -> None:
        pass

    async def _on_hub(self, online: bool) -> None:  # noqa: FBT001 (the publisher's callback)
        pass

    async def _on_acknowledged(self, position: LanePosition) -> None:
        pass


async def main(plan: dict[str, Any]) -> None:
    await asyncio.gather(*(LightRoom(plan, name).run() for name in plan["rooms"]))


if __name__ == "__main__":
    logs.configure("light-rooms", level="ERROR")
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
