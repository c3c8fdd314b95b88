"""Ears that hear what a script says: the real core with its real protocol, without sound.

Run by a node as its child: ``scripted_ears.py SCRIPT --socket PATH``. The script is JSON: ``{"turns": [...],
"repeat": true, "pause_seconds": 0.0}``. A turn is a list of phrases: the wake word comes first, then one phrase for
every time the room listens. ``{"dictate": "words"}`` is said without a wake word; with ``"await_session": true`` it
waits until the room takes dictation.
"""

import contextlib
import json
import queue
import socket
import sys
import threading
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from forge_edge.messages import Beat, Hearing, Instruction, SpeechHeard, WakeHeard

UNASKED = ("recorded session", "connection to the staff")
"""Words of what the room says on its own."""


class Line:
    """The socket to the core."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lock = threading.Lock()
        self.dictating = False
        self.waiting: queue.Queue[Instruction | None] = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def say(self, perception: Hearing | WakeHeard | SpeechHeard | Beat) -> None:
        with self.lock:
            self.socket.sendall(perception.model_dump_json().encode() + b"\n")

    def instruction(self) -> Instruction:
        instruction = self.waiting.get()
        if instruction is None:
            sys.exit(0)
        self.dictating = instruction.dictation
        return instruction

    def catch_up(self) -> None:
        """Follow what the room has said on its own since."""
        while not self.waiting.empty():
            self.instruction()

    def read(self) -> None:
        # A core that is killed leaves an error, or half a line.
        with contextlib.suppress(OSError, ValueError):
            for line in self.socket.makefile("rb"):
                self.waiting.put(Instruction.model_validate_json(line))
        self.waiting.put(None)

    def beat(self) -> None:
        while True:
            time.sleep(1)
            try:
                self.say(Beat())
            except OSError:
                return


def speech(turn: int | None, text: str) -> SpeechHeard:
    return SpeechHeard(
        turn=turn,
        text=text,
        accepted=True,
        confidence=0.9,
        engine="scripted",
        ended_monotonic_seconds=time.monotonic(),
    )


def listened(line: Line, instruction: Instruction) -> Instruction:
    """Skip what the room says on its own; return the instruction that listens, or the last one."""
    while instruction.listen is None and any(word in " ".join(instruction.say) for word in UNASKED):
        instruction = line.instruction()
    return instruction


def hold(line: Line, turn: Any) -> None:
    line.catch_up()
    if isinstance(turn, dict):
        while "await_session" in turn and not line.dictating:
            line.instruction()
        line.say(speech(None, turn["dictate"]))
        line.instruction()
        return
    line.say(WakeHeard(word="hey_jarvis", score=0.9))
    instruction = listened(line, line.instruction())
    for phrase in turn:
        if instruction.listen is None:
            return
        heard = phrase
        if "no" in instruction.listen.phrases and phrase not in instruction.listen.phrases:
            heard = "no"  # the room asks whether to go on with a form that was interrupted
        line.say(speech(instruction.turn, heard))
        instruction = line.instruction()


def turns(script: dict[str, Any]) -> Iterator[Any]:
    return cycle(script["turns"]) if script.get("repeat") else iter(script["turns"])


def main() -> None:
    script = json.loads(Path(sys.argv[1]).read_text())
    line = Line(sys.argv[sys.argv.index("--socket") + 1])
    threading.Thread(target=line.beat, daemon=True).start()
    if "--deaf" in sys.argv:
        line.say(Hearing(state="closed", reason="consent-withdrawn"))
        while True:
            line.instruction()
    line.say(Hearing(state="ok", reason="started"))
    line.instruction()
    for turn in turns(script):
        hold(line, turn)
        time.sleep(script.get("pause_seconds", 0.0))
    while True:
        line.instruction()


if __name__ == "__main__":
    main()
