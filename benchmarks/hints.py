"""How often and how fast the hints speak; whether they are right nobody can measure: there are no labels.

Prints one JSON line a framework: the share of sentences with a hint in questions to therapists
(``../shared/data/psych/counsel_chat``) and in ordinary comments (``goemotions``), and the time a sentence takes.
"""

import csv
import json
import re
import time
from pathlib import Path
from typing import Final

from forge_hub.mind.taggers.hinters import ALL

_ROOT: Final = Path(__file__).parents[1]

_CORPORA: Final = _ROOT.parent / "shared" / "data" / "psych"


def questions() -> list[str]:
    """Return the sentences of every question to a therapist, each question once."""
    with (_CORPORA / "counsel_chat" / "20200325_counsel_chat.csv").open(encoding="utf-8") as file:
        texts = {row["questionID"]: row["questionText"] or "" for row in csv.DictReader(file)}
    return [part.strip() for text in texts.values() for part in re.split(r"(?<=[.!?])\s+|\n", text) if part.strip()]


def comments() -> list[str]:
    """Return ordinary comments."""
    with (_CORPORA / "goemotions" / "dev.tsv").open(encoding="utf-8") as file:
        return [line.split("\t")[0] for line in file]


def main() -> None:
    """Print one line a framework."""
    if not _CORPORA.exists():
        print("the corpora are not here")
        return
    asked, commented = questions(), comments()
    for make in ALL:
        tagger = make()
        begun = time.perf_counter()
        in_questions = sum(bool(found) for found in tagger.infer(asked)) / len(asked)
        microseconds = (time.perf_counter() - begun) / len(asked) * 1e6
        in_comments = sum(bool(found) for found in tagger.infer(commented)) / len(commented)
        figures = {
            "part": tagger.framework,
            "sentences": len(asked),
            "with_hint_in_questions_to_therapists": round(in_questions, 4),
            "with_hint_in_ordinary_comments": round(in_comments, 4),
            "microseconds_a_sentence": round(microseconds),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
