"""Answers through the whole chain: heard, read back, confirmed or denied, stored. Prints one JSON line per figure.

A simulated patient says an answer or a paraphrase of it once. Where the room accepts or doubts, it reads back, and the
patient says that it is right or wrong, as it is; a confirmation that is not heard is asked for again, three times
in all. *Stored*: the room heard "yes". *At the first try*: the answer itself was said once. *Strictly*: the
confirmation, too. The baseline is pocketsphinx's grammar with its own rule and no second hearing, on the same sound.
"""

import json
import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks import hearing_third
from benchmarks.hearing_fit import Utterance, by_sense, grammars
from benchmarks.hearing_sounds import NOISES_HELD_OUT, VOICES_FITTED, VOICES_HELD_OUT, no_answers

from forge_edge.audio.activity import VoiceActivity
from forge_edge.audio.files import load
from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples
from forge_edge.errors import AudioUnreadableError
from forge_edge.recordings import spoken_parts
from forge_edge.speech.agreement import Decision, decide
from forge_edge.speech.evidence import LEAST_CONFIDENCE
from forge_edge.speech.pocketsphinx import PocketsphinxTranscriber
from forge_edge.speech.ports import Grammar
from forge_edge.speech.third_hearing import decide_third
from forge_edge.speech.threefold import ThreefoldTranscriber
from forge_edge.speech.twofold import TwofoldTranscriber, shipped
from forge_language.crisis import judge

NOISES = ("quiet", "pink 15 dB", "ward 15 dB", "babble 20 dB")
CONFIRMATIONS = 3
_BASELINE_EVERY = 4
"""The baseline decodes once more, so it is run on every fourth utterance."""
_QUESTIONS = ("frequency", "frequency", "difficulty", "yes-no", "yes-no")
_SAFETY_SAID = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """What the room made of one utterance: senses, None for nothing; processor seconds for both hearings."""

    utterance: Utterance
    accepted: str | None
    doubted: str | None
    compared: bool
    baseline: str | None
    chosen: str | None
    confidence: float
    sound_seconds: float
    processor_seconds: float
    safety: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One answer through the chain.

    Attributes:
        stored: The sense that was stored, with the shipped engine; None for none.
        strictly: Whether each thing was said once.
        baseline: The sense that was stored with the grammar alone, doubt not read back.
    """

    first: Heard
    stored: str | None
    strictly: bool
    baseline: str | None


@cache
def alone_engine() -> PocketsphinxTranscriber:
    """Return this process's baseline."""
    return PocketsphinxTranscriber()


def use(hearing: str) -> None:
    """Choose this process's engine: ``light`` or ``whisper``."""
    os.environ["FORGE_EDGE_HEARING"] = hearing


@cache
def engine() -> TwofoldTranscriber | ThreefoldTranscriber:
    """Return this process's engine."""
    return TwofoldTranscriber() if os.environ.get("FORGE_EDGE_HEARING") == "light" else hearing_third.engine()


def judged(sound: Samples, given: Grammar) -> tuple[str | None, Decision]:
    """Return which sense is claimed of a sound, and what may be done with it."""
    hearing = engine()
    if isinstance(hearing, ThreefoldTranscriber):
        third = hearing.claim(sound, given)[1]
        return third.sense if third is not None else None, decide_third(third)
    claim = hearing.hear(sound, given).claim
    return claim.sense if claim is not None else None, decide(claim, shipped().rule)


def hear(utterance: Utterance) -> Heard:
    """Synthesise and hear an utterance."""
    given, sound = grammars()[utterance.vocabulary], utterance.sound()
    began = time.process_time()
    sense, decision = judged(sound, given)
    took = time.process_time() - began
    compared = utterance.seed % _BASELINE_EVERY == 0
    alone = alone_engine().listen(sound, given) if compared else None
    sure = alone is not None and alone.evidence is not None and alone.evidence.confidence >= LEAST_CONFIDENCE
    return Heard(
        utterance,
        accepted=sense if decision.accepted else None,
        doubted=sense if decision.doubted else None,
        compared=compared,
        baseline=given.sense(alone.text) if alone is not None and sure else None,
        chosen=sense,
        confidence=decision.confidence,
        sound_seconds=sound.size / SAMPLE_RATE_HZ,
        processor_seconds=took,
    )


def tell(utterance: Utterance) -> Told:
    """Let a patient answer, and confirm or deny what is read back."""
    first = hear(utterance)
    read_back = first.accepted or first.doubted
    if read_back is None or not read_back.startswith("answer:"):
        read_back = None
    stored, strictly = _confirmed(utterance, read_back)
    before = first.baseline if first.baseline is not None and first.baseline.startswith("answer:") else None
    baseline = (stored if before == read_back else _confirmed(utterance, before)[0]) if before is not None else None
    return Told(first, stored, strictly, baseline)


def _confirmed(utterance: Utterance, read_back: str | None) -> tuple[str | None, bool]:
    if read_back is None:
        return None, False
    rng = random.Random(utterance.seed)
    sense = f"confirmation:{'yes' if read_back == utterance.expected else 'no'}"
    for attempt in range(CONFIRMATIONS):
        words = rng.choice(by_sense(grammars()["confirmation"])[sense])
        said = replace(utterance, kind="said", words=words, vocabulary="confirmation", expected=sense,
                       seed=utterance.seed + 7_000_001 * (attempt + 1))  # fmt: skip
        heard = hear(said).accepted
        if heard == "confirmation:yes":
            return read_back, attempt == 0
        if heard == "confirmation:no":
            return None, False
    return None, False


def answers(count: int, seed: int) -> list[tuple[str, Utterance]]:
    """Return answers to be told, half in voices that were fitted on, half in others and in further noises."""
    rng = random.Random(seed)
    made = []
    for index in range(count):
        held_out = index % 2 == 1
        name = rng.choice(_QUESTIONS)
        table = {sense: ways for sense, ways in by_sense(grammars()[name]).items() if sense.startswith("answer:")}
        sense = rng.choice(sorted(table))
        # The form's own wording as often as three paraphrases together.
        words = table[sense][0] if rng.random() < 0.25 else rng.choice(table[sense])
        voice = rng.choice(VOICES_HELD_OUT if held_out else VOICES_FITTED)
        noise = rng.choice((*NOISES, *NOISES_HELD_OUT) if held_out else NOISES)
        group = "held-out" if held_out else "fitted"
        made.append((group, Utterance("said", words, voice, noise, name, sense, seed * 1_000_003 + index)))
    return made


def others(count: int, sentences: Sequence[str], seed: int) -> list[Utterance]:
    """Return utterances that are no answer, of kinds, voices and noises that nothing was fitted on."""
    rng = random.Random(seed)
    made = []
    for index, (kind, words, foreign) in enumerate(no_answers(sentences, held_out=True, count=count, seed=seed)):
        name = rng.choice(_QUESTIONS)
        voice, noise = foreign or rng.choice(VOICES_HELD_OUT), rng.choice((*NOISES, *NOISES_HELD_OUT))
        made.append(Utterance(kind, words, voice, noise, name, None, seed * 1_000_003 + 500_000 + index))
    return made


def called(utterance: Utterance) -> tuple[Utterance, str | None]:
    """Hear an utterance beside a question's grammar, and return what is judged of it for danger: the gravest."""
    heard = engine().transcribe(utterance.sound(), grammars()["frequency"])
    judged = [text for text in (heard.safety, heard.words) if text]
    return utterance, next((text for text in judged if _alarms(text)), heard.safety)


def show(figure: str, **fields: object) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, **fields}), flush=True)


def measure(count: int, sentences: Sequence[str], recordings: Path, *, seed: int, processes: int, hearing: str) -> None:  # noqa: PLR0913 (keywords)
    """Print every figure of answers, refusals, calibration, speed and safety."""
    given = answers(count, seed)
    with ProcessPoolExecutor(processes, initializer=use, initargs=(hearing,)) as pool:
        told = list(
            zip((group for group, _ in given), pool.map(tell, [u for _, u in given], chunksize=10), strict=True)
        )
        refused = list(pool.map(hear, others(300, sentences, seed), chunksize=10))
        safety = list(pool.map(called, _safety_said(seed), chunksize=10))
        false = list(pool.map(called, [replace(u, vocabulary="frequency") for u in others(300, sentences, seed + 1)]))
        people = list(pool.map(_recorded, _recordings(recordings), chunksize=10))
    _show_answers(told)
    for kind in dict.fromkeys(heard.utterance.kind for heard in refused):
        _show_refusals(f"other.{kind}", [heard for heard in refused if heard.utterance.kind == kind])
    _show_refusals("other", refused)
    _show_calibration([told.first for _, told in told] + refused)
    two = sorted(h.processor_seconds * 2.0 / h.sound_seconds for h in [one.first for _, one in told])
    show(
        "decode.seconds-per-2-s", p50=round(two[len(two) // 2], 3), p95=round(two[int(len(two) * 0.95)], 3), clock="cpu"
    )
    show("safety.heard", value=_share(safety, lambda case: case[1] is not None), n=len(safety),
         right=_share(safety, lambda case: case[1] is not None and _alarms(case[1]) == _alarms(case[0].words)),
         missed=sorted({case.words for case, got in safety if got is None}))  # fmt: skip
    show("safety.false", value=_share(false, lambda case: case[1] is not None), n=len(false),
         as_crisis=_share(false, lambda case: case[1] is not None and _alarms(case[1])))  # fmt: skip
    if people:
        show("recordings.accepted", value=sum(ok for ok, _ in people), asked_about=sum(asked for _, asked in people), n=len(people))  # fmt: skip  # noqa: E501 (one figure a line)
    else:
        show("recordings.accepted", skipped="../shared/data/voice is not here")


def _show_answers(told: Sequence[tuple[str, Told]]) -> None:
    groups: dict[str, list[Told]] = {"all": [one for _, one in told]}
    for group, one in told:
        groups.setdefault(group, []).append(one)
        groups.setdefault(one.first.utterance.noise, []).append(one)
        groups.setdefault(one.first.utterance.vocabulary, []).append(one)
        groups.setdefault(one.first.utterance.voice, []).append(one)
    for name, ones in groups.items():
        compared = [one for one in ones if one.first.compared]
        show(
            f"answers.{name}",
            n=len(ones),
            stored_first_try=_share(ones, lambda one: one.stored == one.first.utterance.expected),
            strictly=_share(ones, lambda one: one.strictly and one.stored == one.first.utterance.expected),
            accepted_right=_share(ones, lambda one: one.first.accepted == one.first.utterance.expected),
            stored_wrong=sum(one.stored not in (None, one.first.utterance.expected) for one in ones),
            read_back_wrong=sum(_wrong(one.first.accepted, one) or _wrong(one.first.doubted, one) for one in ones),
            accepted_wrong=sum(_wrong(one.first.accepted, one) for one in ones),
            baseline_stored=_share(compared, lambda one: one.baseline == one.first.utterance.expected),
            baseline_accepted_wrong=sum(_wrong(one.first.baseline, one) for one in compared),
            baseline_n=len(compared),
        )


def _wrong(sense: str | None, one: Told) -> bool:
    return sense is not None and sense.startswith("answer:") and sense != one.first.utterance.expected


def _show_refusals(name: str, heard: Sequence[Heard]) -> None:
    show(
        f"{name}.refused",
        value=_share(heard, lambda one: one.accepted is None),
        as_answer=_share(heard, lambda one: one.accepted is None or not one.accepted.startswith("answer:")),
        asked_about=_share(heard, lambda one: one.doubted is not None),
        baseline=_share([one for one in heard if one.compared], lambda one: one.baseline is None),
        n=len(heard),
    )


def _show_calibration(heard: Sequence[Heard]) -> None:
    """Print the reliability curve: of what was found so probable, how much was right; and its expected error."""
    error = 0.0
    for low in np.arange(0.0, 1.0, 0.1):
        here = [one for one in heard if low <= one.confidence < low + 0.1 or (low > 0.85 and one.confidence == 1.0)]
        if not here:
            continue
        right = sum(one.chosen is not None and one.chosen == one.utterance.expected for one in here) / len(here)
        mean = sum(one.confidence for one in here) / len(here)
        error += abs(right - mean) * len(here) / len(heard)
        show("calibration", confidence=round(mean, 3), right=round(right, 3), n=len(here))
    show("calibration.expected-error", value=round(error, 4), n=len(heard))


def _safety_said(seed: int) -> list[Utterance]:
    rng = random.Random(seed)
    phrases = rng.sample(grammars()["safety"].phrases, _SAFETY_SAID)
    return [
        Utterance("said", words, voice, noise, "safety", grammars()["safety"].sense(words), seed * 999_983 + index)
        for index, (words, voice, noise) in enumerate(
            (words, rng.choice((*VOICES_FITTED, *VOICES_HELD_OUT)), rng.choice(NOISES))
            for words in phrases
            for _ in (0, 1)
        )
    ]


def _recordings(folder: Path) -> list[tuple[Path, str]]:
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in (".flac", ".wav")]
    return [(path, "frequency" if index % 2 else "yes-no") for index, path in enumerate(paths)]


def _recorded(case: tuple[Path, str]) -> tuple[bool, bool]:
    """Return whether a recording is accepted as an answer, and whether the room would ask about it."""
    path, name = case
    try:
        speech = spoken_parts(load(path), VoiceActivity())
    except AudioUnreadableError:
        return False, False
    if speech is None:
        return False, False
    given = grammars()[name]
    sense, decision = judged(speech[: 15 * SAMPLE_RATE_HZ], given)
    answer = sense is not None and sense.startswith("answer:")
    return decision.accepted and answer, decision.doubted and answer


def _alarms(text: str) -> bool:
    return judge(text).crisis


def _share(cases: Sequence[Any], holds: Callable[[Any], bool]) -> float:
    return round(sum(holds(case) for case in cases) / max(1, len(cases)), 4)
