"""Measures crisis language through speech: sentences said to the room, and what is judged of what it hears.

    python benchmarks/crisis_spoken.py [FILE] --samples 200 --seed 5

Half of the sentences are crises. Each is said once, outside any question, in one of 29 synthetic voices, in quiet or
with one of three noises of a ward. Prints one JSON line per figure: three hearings, beside two hearings (which listen
for the safety phrases only) and beside the judgement of the written sentence. Without Whisper's packages the first is
left out.
"""

import argparse
import json
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from benchmarks import hearing_third
from benchmarks.hearing_answers import NOISES
from benchmarks.hearing_sounds import VOICES_FITTED, VOICES_HELD_OUT, in_a_ward, spoken

from forge_edge.speech.ports import Transcriber, Transcription
from forge_edge.speech.twofold import TwofoldTranscriber
from forge_edge.speech.whisper_package import is_installed
from forge_language.crisis import judge

_BLIND: Final = Path(__file__).parents[1] / "tests" / "golden" / "blind" / "crisis.jsonl"
_PROCESSES: Final = 2


@cache
def engines() -> dict[str, Transcriber]:
    """Return this process's engines by name."""
    three: dict[str, Transcriber] = {"three hearings": hearing_third.engine()} if is_installed() else {}
    return {**three, "two hearings": TwofoldTranscriber()}


def alarms(case: tuple[str, str, str, int]) -> dict[str, bool]:
    """Say a sentence and tell for each engine whether it is judged to be a crisis."""
    text, voice, noise, seed = case
    sound = in_a_ward(spoken(text, voice), noise, np.random.default_rng(seed))
    return {name: _alarms(engine.transcribe(sound, None)) for name, engine in engines().items()}


def _alarms(heard: Transcription) -> bool:
    said = (heard.text if heard.accepted else None, heard.safety, heard.words)
    return any(judge(text).crisis for text in said if text)


def main() -> None:
    """Say sentences of a file and print what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path, nargs="?", default=_BLIND)
    options.add_argument("--samples", type=int, default=200)
    options.add_argument("--seed", type=int, default=5)
    chosen = options.parse_args()
    lines = [json.loads(line) for line in chosen.file.read_text(encoding="utf-8").splitlines() if line]
    rng = random.Random(chosen.seed)
    half = chosen.samples // 2
    cases = [
        case
        for crisis in (True, False)
        for case in rng.sample([line for line in lines if line["crisis"] is crisis], half)
    ]
    said = [
        (case["text"], rng.choice((*VOICES_FITTED, *VOICES_HELD_OUT)), rng.choice(NOISES), chosen.seed * 1_009 + place)
        for place, case in enumerate(cases)
    ]
    with ProcessPoolExecutor(_PROCESSES) as pool:
        found = list(pool.map(alarms, said, chunksize=4))
    for name in found[0]:
        _show(name, cases, [one[name] for one in found])
    _show("as written", cases, [judge(case["text"]).crisis for case in cases])


def _show(name: str, cases: Sequence[dict[str, Any]], alarms: Sequence[bool]) -> None:
    pairs = [(case["crisis"], alarm) for case, alarm in zip(cases, alarms, strict=True)]
    figures = {
        "sensitivity": _share([alarm for crisis, alarm in pairs if crisis]),
        "specificity": _share([not alarm for crisis, alarm in pairs if not crisis]),
    }
    print(json.dumps({"part": "crisis-spoken", "by": name, "sentences": len(pairs), **figures}), flush=True)


def _share(right: Sequence[bool]) -> float:
    return round(sum(right) / len(right), 3)


if __name__ == "__main__":
    main()
