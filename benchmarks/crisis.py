"""Measures crisis language: how much of it is found and how much harmless speech is left alone.

Prints one JSON line per figure: phrases and trained head together, beside the phrases alone and beside a list of
keywords. ``--failures FILE`` writes what was judged wrongly; without it no sentence is shown.
"""

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from forge_language.crisis import judge, judge_by_phrases

_ROOT: Final = Path(__file__).parents[1]
_BLIND: Final = _ROOT / "tests" / "golden" / "blind" / "crisis.jsonl"

_KEYWORDS: Final = re.compile(
    r"\b(help|chest|heart|breath\w*|chok\w*|overdos\w*|pills|die|dead|kill\w*|suicid\w*|cut\w*|hurt\w*|knife|gun|hit\w*"
    r"|attack\w*|touch\w*|stroke|collaps\w*|faint\w*|unconscious|seizure|blood|bleed\w*|fallen|emergency)\b",
    re.IGNORECASE,
)
"""What a first version of such software looks for: the plain words of each category."""


def _by_keywords(text: str) -> bool:
    return _KEYWORDS.search(text) is not None


def _by_phrases(text: str) -> bool:
    return judge_by_phrases(text).crisis


def _together(text: str) -> bool:
    return judge(text).crisis


def main() -> None:
    """Judge a file of labelled sentences in three ways."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path, nargs="?", default=_BLIND)
    options.add_argument("--failures", type=Path, help="write the wrongly judged sentences here, as Markdown")
    chosen = options.parse_args()
    cases = [json.loads(line) for line in chosen.file.read_text(encoding="utf-8").splitlines() if line]
    judges: dict[str, Callable[[str], bool]] = {
        "phrases and head": _together,
        "phrases alone": _by_phrases,
        "a list of keywords": _by_keywords,
    }
    wrong: list[dict[str, Any]] = []
    for name, decides in judges.items():
        decides("anything")
        started = time.perf_counter()
        alarms = [decides(case["text"]) for case in cases]
        spent_ms = 1000 * (time.perf_counter() - started) / len(cases)
        print(
            json.dumps({"part": "crisis", "by": name, **_figures(cases, alarms), "ms_a_sentence": round(spent_ms, 2)})
        )
        if decides is _together:
            wrong = [case for case, alarm in zip(cases, alarms, strict=True) if alarm != case["crisis"]]
    if chosen.failures is not None:
        lines = [f"- {'missed' if case['crisis'] else 'false alarm'} ({_name(case)}): {case['text']}" for case in wrong]
        chosen.failures.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _name(case: dict[str, Any]) -> str:
    return f"{case['priority']}, {case['category']}"


def _figures(cases: Sequence[dict[str, Any]], alarms: Sequence[bool]) -> dict[str, Any]:
    pairs = list(zip(cases, alarms, strict=True))
    harmless = [not alarm for case, alarm in pairs if not case["crisis"]]
    categories = sorted({case["category"] for case in cases if case["crisis"]})
    return {
        "sentences": len(cases),
        "sensitivity": _share([alarm for case, alarm in pairs if case["crisis"]]),
        "specificity": _share(harmless),
        "by_category": {
            category: _share([alarm for case, alarm in pairs if case["crisis"] and case["category"] == category])
            for category in categories
        },
    }


def _share(right: Sequence[bool]) -> float:
    return round(sum(right) / len(right), 3)


if __name__ == "__main__":
    main()
