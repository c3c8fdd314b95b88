"""Rooms that come back with full outboxes, and rooms in which somebody answers a risk item meanwhile.

``returning_rooms.py fill PLAN`` fills the outboxes and ends; ``returning_rooms.py run PLAN`` lets the shipped
publishers send them until it is told to end. The plan is that of the light rooms with a few values more.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

from tests.fakes.light_rooms import FORM, LightRoom

from forge_edge.observations import FormObserved, Observation, RiskAnswerObserved, SessionOpened, UtteranceHeard
from forge_shared import logs
from forge_shared.events import FormAnswer
from forge_shared.ids import new_id
from forge_shared.wire import TwinReported

TWIN_SECONDS = 10.0
"""As often as a node says how it is."""
FORM_EVERY, SESSION_EVERY = 12, 240
"""Of so many records one is a completed form, and one begins a recorded session. Ours: a night of talk."""
QUESTIONS = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")
RISK_ITEM, SEVERAL_DAYS = QUESTIONS[-1], "LA6569-3"
SAID = (
    "i slept badly again and nothing helps",
    "the food was good today",
    "my daughter came to see me and i felt happy",
    "i always ruin everything",
    "it hurts less than yesterday",
    "i am afraid of the operation",
)


class ReturningRoom(LightRoom):
    """A room in which nothing new happens: it sends what waits, and says how it is."""

    def __init__(self, plan: dict[str, Any], name: str) -> None:
        super().__init__(plan, name)
        self._calls: dict[str, Any] | None = plan.get("calls")

    def fill(self) -> None:
        """Put the plan's records into the outbox."""
        chance = random.Random(self.name)
        for number in range(self.goals["record"]):
            event = self.anonymiser.event_of(self._record(number, chance))
            assert event is not None
            self.outbox.append(event)
        self.outbox.close()

    async def live(self) -> None:
        """Say how the room is, and let somebody call where the plan says so, until cancelled."""
        await asyncio.gather(self._report(), *([self._call(**self._calls)] if self._calls else []))

    def _record(self, number: int, chance: random.Random) -> Observation:
        if number % SESSION_EVERY == 0:
            return SessionOpened(new_id(), new_id())
        if number % FORM_EVERY:
            return UtteranceHeard(chance.choice(SAID), 0.8)
        answers = tuple(FormAnswer(link_id=item, code=SEVERAL_DAYS, mode="voice", times_asked=1) for item in QUESTIONS)
        return FormObserved(new_id(), FORM, "completed", answers, (), len(answers), 0, self.clock.now())

    async def _report(self) -> None:
        while True:
            pending = (await asyncio.to_thread(self.outbox.state)).pending
            twin = TwinReported(
                hearing="ok",
                sight="ok",
                activity="idle",
                session_on=False,
                pending_events=pending,
                version="0",
                at=self.clock.now(),
            )
            self.publisher.report(twin)
            await asyncio.sleep(TWIN_SECONDS)

    async def _call(self, *, seed: int, shortest_seconds: float, longest_seconds: float, file: str) -> None:
        """Answer a risk item again and again, which never merges; write down each event with its moment."""
        chance = random.Random(seed)
        for number in itertools.count():
            await asyncio.sleep(chance.uniform(shortest_seconds, longest_seconds))
            observed = RiskAnswerObserved(str(number), FORM, RISK_ITEM, SEVERAL_DAYS, 1, "voice")
            event = self.anonymiser.event_of(observed)
            assert event is not None
            moment = time.time()
            await asyncio.to_thread(self.outbox.append, event)
            self.publisher.wake()
            await asyncio.to_thread(_write_line, Path(file), json.dumps([event.id, moment]))


def _write_line(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


async def run(plan: dict[str, Any]) -> None:
    await asyncio.gather(*(ReturningRoom(plan, name).run() for name in plan["rooms"]))


def main() -> None:
    plan = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    if sys.argv[1] == "run":
        asyncio.run(run(plan))
        return
    for name in plan["rooms"]:
        ReturningRoom(plan, name).fill()


if __name__ == "__main__":
    logs.configure("returning-rooms", level="ERROR")
    main()
