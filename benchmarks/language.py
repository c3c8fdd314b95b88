"""Measures the language judgements: redaction, valence and arousal, distortion patterns.

Prints one JSON line per figure, with a baseline beside it. The blind sets are in ``tests/golden/blind``; figures on
public corpora appear when ``../shared/data/psych`` is there.
"""

import argparse
import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from forge_language.distortions import find_distortions
from forge_language.redaction import redact
from forge_language.sentiment import valence_arousal
from forge_language.taxonomy import DISTORTIONS

_ROOT: Final = Path(__file__).parents[1]
_BLIND: Final = _ROOT / "tests" / "golden" / "blind"
_CORPORA: Final = _ROOT.parent / "shared" / "data" / "psych"

_FIRST_BLIND: Final = (
    {
        "part": "redaction",
        "character_recall": 0.984,
        "character_precision": 0.972,
        "span_recall": 0.946,
        "span_precision": 0.965,
        "texts without identity left as they are": 0.933,
        "name span recall, recogniser": 0.862,
        "name span recall, written": 1.0,
    },
    {
        "part": "distortions",
        "pooled_precision": 0.731,
        "pooled_recall": 0.671,
        "pooled_f1": 0.699,
        "any_kappa": 0.574,
        "any_specificity": 0.889,
    },
)
"""The only blind figures: the first measurement, before anything was changed after it. The rules were then improved
once by general reasoning, so what is measured on the blind sets since is no longer blind."""

_Span = tuple[str, int, int]

_UNLABELLED: Final = frozenset({"LOCATION", "ORGANISATION", "AGE", "URL", "IP"})
"""Kinds that the blind set does not label: what is taken out as one of them is counted neither for nor against."""


def main() -> None:
    """Print every figure that can be measured here."""
    parts: dict[str, Callable[[], Iterable[dict[str, Any]]]] = {
        "redaction": redaction_figures,
        "distortions": distortion_figures,
        "sentiment": sentiment_figures,
        "speed": speed_figures,
    }
    parser = argparse.ArgumentParser(description="Measure the language judgements.")
    parser.add_argument("--part", choices=list(parts), action="append", help="what to measure; everything by default")
    wanted = parser.parse_args().part or list(parts)
    for first in _FIRST_BLIND:
        if first["part"] in wanted:
            print(json.dumps({"data": "blind", "measured": "first, blind", **first}))
    for part in wanted:
        for figure in parts[part]():
            print(json.dumps({"part": part, **figure}))


def redaction_figures() -> Iterable[dict[str, Any]]:
    """Measure the redactor on the blind set; `benchmarks/redaction.py` measures it on a corpus, held out."""
    cases = [
        (case["style"], case["text"], [(gold["kind"], gold["start"], gold["end"]) for gold in case["entities"]])
        for case in _lines(_BLIND / "redaction.jsonl")
    ]
    yield from _redaction(cases, "blind set, seen once")


def _redaction(cases: Sequence[tuple[str, str, list[_Span]]], data: str) -> Iterable[dict[str, Any]]:
    """Yield recall and precision per style and kind, by characters and by spans.

    A span counts as found when every one of its characters was taken out, whatever the kind; a span taken out counts as
    right when it touches a true one. Baselines: nothing is redacted (recall 0, precision undefined), everything is
    (recall 1, precision the share of identifying characters).
    """
    for style in ("all", "written", "recogniser"):
        chosen = [case for case in cases if style in {"all", case[0]}]
        if not chosen or (style == "written" and len(chosen) == len(cases)):
            continue
        kinds = sorted({span[0] for _, _, gold in chosen for span in gold})
        for kind in ("all", *kinds):
            yield {"data": data, "style": style, "kind": kind, **_redaction_scores(chosen, kind)}
    clean = [text for _, text, gold in cases if not gold]
    touched = sum(any(span.kind not in _UNLABELLED for span in redact(text).spans) for text in clean)
    yield {
        "data": data,
        "figure": "texts without identity left as they are",
        "n": len(clean),
        "value": _ratio(len(clean) - touched, len(clean)),
        "baseline_redact_nothing": 1.0,
    }


def _redaction_scores(cases: Sequence[tuple[str, str, list[_Span]]], kind: str) -> dict[str, Any]:
    tally: Counter[str] = Counter()
    for _, text, gold in cases:
        taken = [
            (span.kind.lower(), span.start, span.end) for span in redact(text).spans if span.kind not in _UNLABELLED
        ]
        wanted = [span for span in gold if kind in {"all", span[0]}]
        claimed = [span for span in taken if kind in {"all", span[0]}]
        out, true = _characters(taken), _characters(gold)
        of_kind = _characters(wanted)
        tally["text"] += len(text)
        tally["wanted_characters"] += len(of_kind)
        tally["found_characters"] += len(of_kind & out)
        tally["claimed_characters"] += len(_characters(claimed))
        tally["right_characters"] += len(_characters(claimed) & true)
        tally["wanted"] += len(wanted)
        tally["found"] += sum(_characters([span]) <= out for span in wanted)
        tally["same_kind"] += sum(
            any(span[0] == take[0] and take[1] < span[2] and span[1] < take[2] for take in taken) for span in wanted
        )
        tally["claimed"] += len(claimed)
        tally["right"] += sum(bool(_characters([span]) & true) for span in claimed)
    return {
        "n": tally["wanted"],
        "character_recall": _ratio(tally["found_characters"], tally["wanted_characters"]),
        "character_precision": _ratio(tally["right_characters"], tally["claimed_characters"]),
        "span_recall": _ratio(tally["found"], tally["wanted"]),
        "span_recall_same_kind": _ratio(tally["same_kind"], tally["wanted"]),
        "span_precision": _ratio(tally["right"], tally["claimed"]),
        "baseline_redact_everything_precision": _ratio(tally["wanted_characters"], tally["text"]),
        "baseline_redact_nothing_recall": 0.0,
    }


def distortion_figures() -> Iterable[dict[str, Any]]:
    """Measure the patterns per label, and as a yes or no, on the blind set.

    Baseline: every label is always given (recall 1, precision the label's share).
    """
    cases = [
        (set(case["labels"]), {tag.label for tag in find_distortions(case["text"])}) for case in _blind_distortions()
    ]
    for label in DISTORTIONS:
        pairs = [(label in gold, label in given) for gold, given in cases]
        yield {"data": "blind set, seen once", "label": label, **_agreement(pairs)}
    pooled = [(label in gold, label in given) for gold, given in cases for label in DISTORTIONS]
    yield {"data": "blind set, seen once", "label": "all labels pooled", **_agreement(pooled)}
    yield {
        "data": "blind",
        "label": "any distortion",
        **_agreement([(bool(gold), bool(given)) for gold, given in cases]),
    }


def _blind_distortions() -> list[dict[str, Any]]:
    return _lines(_BLIND / "distortions.jsonl")


def _agreement(pairs: Sequence[tuple[bool, bool]]) -> dict[str, Any]:
    """Compare truth and claim; the baseline claims always."""
    both = sum(gold and given for gold, given in pairs)
    true, claimed, total = sum(gold for gold, _ in pairs), sum(given for _, given in pairs), len(pairs)
    neither = total - true - claimed + both
    chance = (true * claimed + (total - true) * (total - claimed)) / total**2
    agreed = (both + neither) / total
    return {
        "n": true,
        "of": total,
        "precision": _ratio(both, claimed),
        "recall": _ratio(both, true),
        "f1": _ratio(2 * both, true + claimed),
        "specificity": _ratio(neither, total - true),
        "kappa": _ratio(agreed - chance, 1 - chance),
        "baseline_always_precision": _ratio(true, total),
        "baseline_always_f1": _ratio(2 * true, true + total),
        "baseline_always_kappa": 0.0,
    }


def sentiment_figures() -> Iterable[dict[str, Any]]:
    """Correlate readings with EmoBank's mean reader ratings, when the corpus is there. Baseline: a constant, r = 0."""
    corpus = _CORPORA / "emobank" / "emobank_train_dev.csv"
    if not corpus.exists():
        return
    with corpus.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    readings = [valence_arousal(row["text"]) for row in rows]
    known = [place for place, reading in enumerate(readings) if reading.confidence]
    for axis, column in (("valence", "V"), ("arousal", "A")):
        read = np.array([getattr(reading, axis) for reading in readings])
        rated = np.array([(float(row[column]) - 3) / 2 for row in rows])
        for name, chosen in (("all sentences", list(range(len(rows)))), ("with a lexicon word", known)):
            error, constant = rated[chosen] - read[chosen], rated[chosen] - rated[chosen].mean()
            yield {
                "data": "emobank",
                "axis": axis,
                "on": name,
                "n": len(chosen),
                "r": round(float(np.corrcoef(read[chosen], rated[chosen])[0, 1]), 3),
                "baseline_constant_r": 0.0,
                "rmse": round(float(np.sqrt(np.mean(error**2))), 3),
                "baseline_constant_rmse": round(float(np.sqrt(np.mean(constant**2))), 3),
            }


def speed_figures() -> Iterable[dict[str, Any]]:
    """Time each judgement on the blind sentences, in milliseconds. Baseline: the limit of 2 ms on a room node."""
    texts = [case["text"] for case in _lines(_BLIND / "redaction.jsonl")]
    judgements: dict[str, Callable[[str], object]] = {
        "redact": redact,
        "find_distortions": find_distortions,
        "valence_arousal": valence_arousal,
    }
    for name, judge in judgements.items():
        judge(texts[0])
        took = []
        for text in texts:
            began = time.perf_counter()
            judge(text)
            took.append((time.perf_counter() - began) * 1000)
        median, high = np.percentile(took, [50, 95])
        yield {
            "judgement": name,
            "n": len(took),
            "median_ms": round(float(median), 3),
            "p95_ms": round(float(high), 3),
            "limit_ms": 2.0,
        }


def _characters(spans: Iterable[_Span]) -> set[int]:
    return {place for _, start, end in spans for place in range(start, end)}


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _ratio(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole else None


if __name__ == "__main__":
    main()
