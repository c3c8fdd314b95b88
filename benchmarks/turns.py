"""How well the room takes turns: the wait for an answer, interruptions, and whether it wakes itself.

Prints one JSON line per figure, a baseline beside it. Sound is made: synthetic voices in a room with walls, at real
time where time is measured. The ears are the shipped ones with the default engines; the core decides at once, so its
disk (some 20 ms, `benchmarks/alert_latency.py`) is not in the figures.

    python benchmarks/turns.py [--turns 20] [--replies 100]
"""

import argparse
import json
import re
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from unittest.mock import patch

from tests.fakes.acoustic_room import AcousticRoom, cough, voice
from tests.fakes.core_side import ANSWER, CoreSide, Understands

from forge_edge.audio import pace
from forge_edge.audio.activity import CHUNK_SECONDS
from forge_edge.audio.echo import EchoCanceller
from forge_edge.audio.microphone import QUEUE_CHUNKS
from forge_edge.ears import Ears
from forge_edge.messages import Instruction, Listen, SpeechHeard, WakeHeard
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.grammar import confirmation, requests
from forge_edge.speech.pocketsphinx import PocketsphinxTranscriber
from forge_edge.speech.ports import Transcriber
from forge_edge.wake.micro import MicroWakeWords

VOICES = ("en-us", "en-gb", "en-gb-scotland", "en-us+f3", "en-us+m3")
SAID = ("yes", "no", "can i have some water", "i am in pain", "please call the nurse", "i need help")
QUESTION = "Over the last two weeks, how often have you been bothered by feeling down, depressed or hopeless?"
INTERRUPTING = ("not at all", "several days", "nearly every day", "I need some water please", "stop that now")
ECHOES = tuple(product((-6.0, -12.0, -18.0, -24.0), (30.0, 60.0, 150.0)))
"""Level of the room's voice at its microphone beside what is played, in dB, and its delay in milliseconds. The room
speaks at about -20 dBFS and people at -26 dBFS."""
QUEUE_SECONDS = QUEUE_CHUNKS * CHUNK_SECONDS
LOUD_ECHO_DB = -6.0
"""The room's voice comes back as loud as a person speaks."""
REPLIES = (
    "Okay nabu.",
    "Hey jarvis.",
    "Say okay nabu when you need me.",
    "You can call me with hey jarvis, at any time.",
)


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.95 * len(ordered) + 0.5) - 1)]


def milliseconds(values: Sequence[float]) -> dict[str, int]:
    """Return median and 95th percentile of durations in seconds."""
    return {"median_ms": round(1000 * statistics.median(values)), "p95_ms": round(1000 * p95(values)), "n": len(values)}


@contextmanager
def ears(room: AcousticRoom, transcriber: Transcriber | None = None, *, wakes: bool = False) -> Iterator[CoreSide]:
    """Yield the ears of a room."""
    words = (MicroWakeWords(("okay_nabu", "hey_jarvis")),) if wakes else ()
    with tempfile.TemporaryDirectory() as folder:
        synthesiser = EspeakSynthesiser(words_per_minute=150)
        with CoreSide(
            Path(folder), room, room.sink, wake_words=words, transcriber=transcriber, synthesiser=synthesiser
        ) as side:  # fmt: skip
            yield side
        room.close()


def answers(turns: int) -> tuple[list[float], dict[str, float]]:
    """Return the waits from the last word of a person to the first sound of the answer, and the means of its stages."""
    waits = []
    vocabulary = requests().grammar
    listen = Listen(
        grammar="request", phrases=(*vocabulary.phrases, *confirmation().grammar.phrases), patience_seconds=8
    )
    room = AcousticRoom(behind_seconds=QUEUE_SECONDS)
    with ears(room, PocketsphinxTranscriber()) as side:
        for turn in range(turns):
            side.tell(Instruction(turn=turn, listen=listen))
            side.until_state("listening")
            spoken = voice(EspeakSynthesiser(VOICES[turn % len(VOICES)]).synthesise(SAID[turn % len(SAID)]).samples)
            room.wait(0.3)
            last_word = room.happens(spoken) + len(spoken) / 16_000
            side.until(lambda turn=turn: any(heard.turn == turn for heard in side.all(SpeechHeard)))  # type: ignore[misc]  # a default binds the turn
            before = len(room.said)
            # Every answer has words that were not spoken before, so that the cache does not flatter.
            side.tell(Instruction(turn=turn, say=(f"Thank you. That was sentence number {turn}.", "I wish you well.")))
            side.until_state("waiting")
            waits.append(room.said[before].from_seconds - last_word)
        side.ears._times._written_at = 0.0  # noqa: SLF001 (write now)
        room.wait(0.2)
        text = (side.ears._times._folder / "turns.prom").read_text(encoding="utf-8")  # type: ignore[operator]  # noqa: SLF001 (the file of this run)
    sums = dict(re.findall(r'stage_seconds_sum\{stage="(\w+)"\} ([\d.e+-]+)', text))
    return waits, {stage: round(1000 * float(total) / turns) for stage, total in sums.items()}


def interruptions(turns: int) -> tuple[list[float], list[float], list[float]]:
    """Return the time to silence for people who are louder than the room's echo, for all, and what was left to say."""
    loud, every, left = [], [], []
    for turn in range(turns):
        echo_db, delay_ms = ECHOES[turn % len(ECHOES)]
        room = AcousticRoom(echo_db=echo_db, delay_ms=delay_ms, seed=turn, behind_seconds=QUEUE_SECONDS)
        with ears(room, Understands()) as side:
            # A room has spoken before: its canceller knows the room.
            side.tell(Instruction(turn=0, say=("I am telling the staff that you would like some water.",)))
            side.until_state("speaking")
            side.until_state("waiting")
            side.tell(Instruction(turn=1, say=(QUESTION,), listen=ANSWER))
            side.until_state("speaking")
            text, name = INTERRUPTING[turn % len(INTERRUPTING)], VOICES[turn % len(VOICES)]
            person = voice(EspeakSynthesiser(name).synthesise(text).samples)
            room.wait(1.0 + 0.15 * (turn % 7))
            began = room.happens(person)
            side.until_state("listening", 15)
        until = room.said[1].until_seconds - began
        whole = EspeakSynthesiser(words_per_minute=150).synthesise(QUESTION).samples.size / 16_000
        left.append(whole + room.said[1].from_seconds - began)
        every.append(until)
        if echo_db <= -12:
            loud.append(until)
    return loud, every, left


def own_voice(replies: int, *, cancels: bool, gates: bool) -> dict[str, int]:
    """Let the room say sentences with its wake words; count how often it wakes or interrupts itself."""
    wakes = interrupted = 0
    with (
        patch.object(EchoCanceller, "clean", EchoCanceller.clean if cancels else lambda _, samples: samples),
        patch.object(
            Ears,
            "_names_wake_word",
            Ears._names_wake_word if gates else lambda *_: False,  # noqa: SLF001 (the gate under test)
        ),
    ):
        for number, (echo_db, delay_ms) in enumerate(ECHOES):
            room = AcousticRoom(echo_db=echo_db + 6, delay_ms=delay_ms, speed=None, seed=number)
            with ears(room, Understands(), wakes=True) as side:
                for turn in range(number, replies, len(ECHOES)):
                    side.until_state("waiting")
                    side.tell(Instruction(turn=turn, say=(REPLIES[turn % len(REPLIES)],)))
                    side.until_state("speaking")
                    side.until(lambda: side.states()[-1] in ("waiting", "deciding"), 20)
                    room.wait(1.0)
                    if side.states()[-1] == "deciding":
                        side.tell(Instruction(turn=turn))
                side.until_state("waiting")
                wakes += len(side.all(WakeHeard))
                side.tell(Instruction(turn=1000, say=(QUESTION,), listen=ANSWER))
                side.until_state("speaking")
                side.until_state("listening", 20)
                interrupted += not room.said[-1].whole
    return {"self_wakes": wakes, "self_interruptions": interrupted, "replies": replies, "questions": len(ECHOES)}


def coughs(turns: int) -> dict[str, int]:
    """Cough into a question and into the time for its answer; count what is silenced or taken for an answer."""
    silenced = answered = 0
    room = AcousticRoom(speed=4.0)
    with ears(room, Understands("", accepted=False)) as side:
        for turn in range(turns):
            side.tell(Instruction(turn=turn, say=("How are you feeling this morning?",), listen=ANSWER))
            side.until_state("speaking")
            room.happens(cough(turn), in_seconds=0.4)
            side.until_state("listening")
            silenced += not room.said[-1].whole
            room.happens(cough(100 + turn))
            room.wait(1.6)
            answered += side.states()[-1] != "listening"
            side.tell(Instruction(turn=turn))
            side.until_state("waiting")
    return {"silenced": silenced, "taken_for_an_answer": answered, "coughs": 2 * turns}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--replies", type=int, default=100)
    options = parser.parse_args()
    waits, stages = answers(options.turns)
    with patch.object(pace, "PROBE_SHARE", 100.0), patch.object(pace, "MORE_SHARE", 100.0):
        fixed, _ = answers(options.turns)
    show("turn_answer", {**milliseconds(waits), "stages_mean_ms": stages}, {"fixed_silence": milliseconds(fixed)})
    loud, every, left = interruptions(options.turns)
    show("turn_interruption", milliseconds(loud), {"waits_for_the_end_of_the_question": milliseconds(left)})
    show(
        "turn_interruption_over_a_loud_echo",
        milliseconds(every),
        {"waits_for_the_end_of_the_question": milliseconds(left)},
    )
    show(
        "turn_own_voice",
        own_voice(options.replies, cancels=True, gates=True),
        {
            "without_gate": own_voice(options.replies, cancels=True, gates=False),
            "without_cancellation_and_gate": own_voice(options.replies, cancels=False, gates=False),
        },
    )
    with (
        patch("forge_edge.interruption.INTERRUPTING_VOICED_SECONDS", 0.0),
        patch("forge_edge.ears.NOISE_VOICED_SECONDS", 0.0),
    ):
        unvoiced = coughs(options.turns)
    show("turn_coughs", coughs(options.turns), {"without_pitch": unvoiced})


def show(figure: str, measured: object, baseline: object) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "measured": measured, "baseline": baseline}), flush=True)


if __name__ == "__main__":
    main()
