"""The shipped ears in a room in which things happen all the time, much faster than real time.

Run by a node as its child: ``soak_ears.py SCRIPT --socket PATH``. The script is JSON: ``{"hours": 8, "seed": 1,
"speed": null}``. What happened is written beside it, as ``.outcome.json``, whenever something did.
"""

import json
import random
import sys
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.fakes.acoustic_room import AcousticRoom, cough, voice

from forge_edge.core_link import CoreLink
from forge_edge.ears import Ears
from forge_edge.engines import synthesiser, transcriber
from forge_edge.messages import Instruction, Mute, read_order
from forge_edge.settings import NodeSettings
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.turn_times import TurnTimes
from forge_edge.turns import State
from forge_edge.wake.micro import MicroWakeWords
from forge_shared import logs
from forge_shared.files import replace

REQUEST = "can i have some water"
TELEVISION = (
    "And now the weather. Water levels are rising in the north, and help is on its way to the villages.",
    "The nurse told the inspector that she had seen nothing. No pain, no gain, he said, and left the room.",
    "Tonight at nine: three people, one kitchen, and a very long list of wishes. Please call us now.",
    "Okay, now who can tell me the name of the capital of Peru? Yes, you in the second row.",
    "Several days later they found the boat, half of it under water. Nearly every day someone comes to look at it.",
)
VISITOR = (
    "Did you sleep at all last night?",
    "I brought you some water and the newspaper.",
    "The nurse said that you may go home on Friday.",
    "No, not at all. I can help you with that.",
)
OTHERS = ("en-gb-scotland", "en-us+f3", "en-029", "en-us+m5")
LOUD_DBFS, TELEVISION_DBFS = -26.0, -34.0
EVERY_SECONDS = (20.0, 90.0)


@cache
def spoken(text: str, name: str, level_dbfs: float = LOUD_DBFS) -> NDArray[np.float32]:
    return voice(EspeakSynthesiser(name).synthesise(text).samples, level_dbfs)


class Soak:
    """What happens in the room, and what is noted of it."""

    def __init__(
        self, script: dict[str, Any], room: AcousticRoom, link: CoreLink[Instruction | Mute], ears: Ears, outcome: Path
    ) -> None:
        self.chance = random.Random(script["seed"])
        self.seconds = 3600 * script["hours"]
        self.room, self.link, self.ears, self.file = room, link, ears, outcome
        self.happened: Counter[str] = Counter()
        self.longest: dict[str, float] = {}
        self.resident_kb: list[tuple[float, int]] = []
        self.wishes = (
            *(("request", self.request) for _ in range(6)),
            ("cough", self.coughs),
            ("television", self.television),
            ("television", self.television),
            ("visitor", self.visitor),
            ("visitor", self.visitor),
            ("unplugged", self.unplugged),
            ("switched-off", self.switched_off),
            ("muted", self.muted),
        )

    def run(self) -> None:
        threading.Thread(target=self.watch, name="watch", daemon=True).start()
        while self.room.now_seconds < self.seconds:
            name, happen = self.chance.choice(self.wishes)
            happen()
            self.happened[name] += 1
            self.note()
            self.room.until(self.room.now_seconds + self.chance.uniform(*EVERY_SECONDS), 600)
        self.happened["done"] = 1
        self.note()

    def watch(self) -> None:
        """Note for how long each state that must end has lasted: by the room's time, and by the clock."""
        before, since, since_wall = None, 0.0, 0.0
        while True:
            state = self.ears._turns._doing  # noqa: SLF001 (what a deaf room does shows nowhere else)
            now, wall = self.room.now_seconds, time.monotonic()
            if state is not before:
                before, since, since_wall = state, now, wall
            elif state is not State.WAITING:
                lasted = min(now - since, wall - since_wall)  # a deaf room's waits end by the clock
                self.longest[state.value] = max(self.longest.get(state.value, 0.0), lasted)
            time.sleep(0.01)

    def note(self) -> None:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        self.resident_kb.append((round(self.room.now_seconds), resident))
        outcome = {
            "simulated_seconds": round(self.room.now_seconds),
            "happened": self.happened,
            "longest_seconds": {name: round(seconds, 1) for name, seconds in self.longest.items()},
            "ears_resident_kb": self.resident_kb[:: max(1, len(self.resident_kb) // 50)],
        }
        replace(self.file, json.dumps(outcome).encode())

    def until_state(self, state: State, seconds: float) -> bool:
        """Wait for a state, so many seconds of the room's time."""
        end = self.room.now_seconds + seconds
        while self.room.now_seconds < end:
            if self.ears._turns.state is state:  # noqa: SLF001 (sooner than by the socket)
                return True
            time.sleep(0.005)
        return False

    def request(self) -> None:
        if not self.until_state(State.WAITING, 60):
            return
        self.happened["called"] += 1
        called = spoken("okay nabu", "en-us")
        self.room.happens(called)
        if not self.until_state(State.LISTENING, 40):
            return
        self.room.wait(0.3)
        if self.chance.random() < 0.3:
            self.room.happens(cough(self.chance.randrange(1000)))
            self.room.wait(1.2)
        self.room.happens(spoken(REQUEST, "en-us"))
        self.happened["asked"] += 1
        if self.chance.random() < 0.3:
            self.room.wait(2.5)
            self.room.happens(cough(self.chance.randrange(1000)))  # into the room's reply

    def coughs(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            self.room.happens(cough(self.chance.randrange(1000), level_dbfs=self.chance.uniform(-32, -14)))
            self.room.wait(self.chance.uniform(0.5, 2))

    def television(self) -> None:
        for _ in range(self.chance.randint(2, 6)):
            sound = spoken(self.chance.choice(TELEVISION), self.chance.choice(OTHERS), TELEVISION_DBFS)
            self.room.happens(sound)
            if self.chance.random() < 0.3:
                self.request()
            self.room.wait(len(sound) / 16_000 + 0.5)

    def visitor(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            sound = spoken(self.chance.choice(VISITOR), self.chance.choice(OTHERS))
            self.room.happens(sound)
            self.room.wait(len(sound) / 16_000 + self.chance.uniform(0.3, 3))

    def unplugged(self) -> None:
        self.room.loses_microphone(self.chance.randint(1, 2))
        time.sleep(0.1)
        self.room.until(self.room.now_seconds + 1, 30)

    def switched_off(self) -> None:
        self.room.switched_off = True
        self.room.wait(self.chance.uniform(5, 30))
        self.room.switched_off = False

    def muted(self) -> None:
        """Mute while the room speaks, or while it waits for what is wanted."""
        self.room.happens(spoken("okay nabu", "en-us"))
        self.happened["called"] += 1
        wanted = self.chance.choice((State.SPEAKING, State.LISTENING, State.WAITING))
        self.until_state(wanted, 10)
        self.link._take(Mute(muted=True))  # noqa: SLF001 (as if the core had said so)
        self.room.happens(spoken(REQUEST, "en-us"))  # nobody hears this
        self.room.wait(self.chance.uniform(5, 40))
        self.link._take(Mute(muted=False))  # noqa: SLF001 (the same)


def main() -> None:
    logs.configure("forge-edge ears")
    script_file = Path(sys.argv[1])
    script = json.loads(script_file.read_text(encoding="utf-8"))
    settings = NodeSettings()
    link = CoreLink(Path(sys.argv[sys.argv.index("--socket") + 1]), read_order)
    room = AcousticRoom(speed=script.get("speed"), seed=script["seed"])
    words = (MicroWakeWords(("okay_nabu",)),)
    ears = Ears(
        link, room, room.sink, words, transcriber(settings), synthesiser(settings), TurnTimes(settings.folder)
    )  # fmt: skip
    soak = Soak(script, room, link, ears, script_file.with_suffix(".outcome.json"))
    threading.Thread(target=soak.run, name="soak", daemon=True).start()
    try:
        ears.run()
    finally:
        room.close()


if __name__ == "__main__":
    main()
