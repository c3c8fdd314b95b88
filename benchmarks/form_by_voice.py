"""Is the record of a PHQ-9 by voice exact? Synthetic voices x noise levels, from sound in a room to the hub's record.

Prints one JSON line per form, then the totals. The baseline, a recogniser that stores what it heard without rejection
and read-back, and the confusion matrix are measured on the same voices and noises by benchmarks/hearing.py.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.journey.world import Site, until

from forge_edge.audio.outcome import Outcome
from forge_edge.audio.voices import VOICES
from forge_shared.forms import scoring
from forge_shared.forms.questionnaire import installed

FORM = installed()["phq-9"]
ITEMS = [item for item in FORM.questions if item.required]
NOISES: dict[str, float | None] = {"quiet": None, "20 dB": 20.0, "10 dB": 10.0}
FORM_SECONDS = 300.0


def scripts(voices: int, seed: int) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (room, noise, patient script) for every combination, with answers and one change of mind drawn by seed."""
    chance = random.Random(seed)
    chosen = sorted(chance.sample(sorted(VOICES), voices))
    made = []
    for voice in chosen:
        for noise, snr_db in NOISES.items():
            answers = {item.link_id: chance.choice(item.answer_option).display.lower() for item in FORM.questions}
            place = chance.randrange(1, 8)
            before = ITEMS[place - 1].link_id
            change = {
                "after": before,
                "item": before,
                # Longer than "go back", which a few of the voices cannot make heard at 10 dB.
                "says": "go back to the last question",
                "answer": chance.choice([o.display.lower() for o in ITEMS[place - 1].answer_option]),
            }
            script = {
                "voice": VOICES[voice].voice.model_dump(),
                "wake_word": VOICES[voice].wake_words[0],
                "noise": {"snr_db": snr_db, "seed": chance.randrange(10**6)},
                "wants": [{"kind": "form", "answers": answers, "changes": [change]}],
            }
            room = f"{voice}-{noise}".lower().replace(" ", "").replace("+", "-").replace("_", "-")
            made.append((room, noise, script))
    return made


def expected(script: dict[str, Any]) -> dict[str, str]:
    """Return the option codes that the patient means in the end."""
    want = script["wants"][0]
    spoken = {**want["answers"], **{change["item"]: change["answer"] for change in want["changes"]}}
    return {
        item.link_id: next(o.code for o in item.answer_option if o.display.lower() == spoken[item.link_id])
        for item in ITEMS
    }


def fill(site: Site, room: str, script: dict[str, Any]) -> dict[str, Any]:
    """Let one patient fill the form and compare the hub's record with what they meant."""
    started = time.monotonic()
    site.start_room(room, script=script, FORGE_EDGE_WAKE_WORDS=json.dumps(list(all_words())))
    outcome_file = site.folder / f"{room}.patient.outcome.json"
    query = "SELECT id, total, re_prompts FROM form_response WHERE node = ? AND status = 'completed'"

    def finished() -> list[Any] | None:
        if rows := site.records(query, room):
            return rows
        if outcome_file.exists() and Outcome.model_validate_json(outcome_file.read_bytes()).gave_up:
            return [None]
        return None

    try:
        (row,) = until(f"the form of {room}", finished, seconds=FORM_SECONDS, every=0.3)
    except TimeoutError:
        row = None
    site.stop_room(room)
    outcome = Outcome.model_validate_json(outcome_file.read_bytes()) if outcome_file.exists() else None
    figures: dict[str, Any] = {"seconds": round(time.monotonic() - started, 1)}
    if row is None:
        return {**figures, "exact": False, "finished": False}
    answers = dict(site.records("SELECT link_id, code FROM form_answer WHERE response = ?", row[0]))
    corrected = site.records("SELECT count(*) FROM form_answer WHERE response = ? AND corrected", row[0])[0][0]
    meant = expected(script)
    total = scoring.total(FORM, meant)
    return {
        **figures,
        "finished": True,
        "exact": all(answers.get(link) == code for link, code in meant.items()) and row[1] == total and corrected >= 1,
        "total_expected": total,
        "total_recorded": row[1],
        "wrong_items": [link for link, code in meant.items() if answers.get(link) != code],
        "re_prompts": row[2],
        "re_prompts_counted_by_patient": outcome.re_prompts if outcome else None,
    }


def all_words() -> set[str]:
    """Return every wake word that the voices use, as the node names them."""
    return {word.replace(" ", "_") for voice in VOICES.values() for word in voice.wake_words}


def main() -> None:
    """Run every combination, two rooms at a time, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voices", type=int, default=6)
    parser.add_argument("--seed", type=int, default=9)
    options = parser.parse_args()
    runs = scripts(options.voices, options.seed)
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site, ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda run: fill(site, run[0], run[2]), runs))
        for (room, noise, _), result in zip(runs, results, strict=True):
            print(json.dumps({"figure": "form_by_voice", "room": room, "noise": noise, **result}))
    counts = [result["re_prompts"] for result in results if result["finished"]]
    print(
        json.dumps(
            {
                "figure": "form_by_voice_total",
                "forms": len(results),
                "exact": sum(result["exact"] for result in results),
                "finished": sum(result["finished"] for result in results),
                "re_prompts_median": statistics.median(counts) if counts else None,
                "re_prompts_max": max(counts, default=None),
                "seed": options.seed,
            }
        )
    )


if __name__ == "__main__":
    main()
