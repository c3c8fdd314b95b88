"""Measures the redactor on presidio_synth and on ordinary sentences of a ward, beside its first generation.

Prints one JSON line per figure. The corpus is dealt into thirds by template (the sentence with its entities masked),
and each third is redacted by a tagger that was trained without these templates: nothing is measured on what was trained
on. It is written in three ways: as it is (cased), in small letters (lower), and in small letters without punctuation
(bare), as a recogniser writes.

How is counted: recall is the share of the characters of all labelled entities, forms of address, occupations and
weekdays included, that are redacted, whatever the kind; precision is the share of redacted characters that are
labelled. An entity is found when all its characters are redacted. Intervals are Wilson's, 95 %, by entity: characters
of one name are no separate witnesses.
"""

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from models.redaction.corpus import FOLDS, Lesson, Writing, corpus, folds, written_as

from forge_hub.alerts.trust import wilson
from forge_language.redaction import redact
from forge_language.spotting.calendar_dates import dates
from forge_language.spotting.codes import numbers, postcodes
from forge_language.spotting.mail import mail_addresses
from forge_language.spotting.people import names
from forge_language.spotting.streets import addresses
from forge_language.spotting.tokens import hide, split
from forge_language.tagging.network import Tagger, read

_ROOT: Final = Path(__file__).parents[1]
_WARD: Final = (
    ("sentences of a ward, seen once", _ROOT / "tests" / "golden" / "ward_talk.jsonl"),
    ("sentences of a ward, blind", _ROOT / "tests" / "golden" / "ward_talk_2.jsonl"),
)
"""Nothing was changed after the second set had been measured; whoever does so renames it."""

_ORDINARY: Final = _ROOT / "tests" / "golden" / "ordinary_speech.txt"
_WRITINGS: Final[tuple[Writing, ...]] = ("cased", "lower", "bare")
_CAPITAL: Final = re.compile(r"\w+")

_FIRST_WARD: Final = (
    {"writing": "cased", "recall": 0.811, "precision": 0.943, "eaten": 6, "ordinary": 60},
    {"writing": "lower", "recall": 0.773, "precision": 0.924, "eaten": 6, "ordinary": 60},
)
"""The only figures on these sentences that nothing was changed after; what is measured on them since is not blind."""

Places = list[tuple[int, int]]
Redactor = Callable[[str], Places]


def main() -> None:
    """Print every figure that can be measured here."""
    parser = argparse.ArgumentParser(description="Measure the redactor.")
    parser.add_argument("--failures", type=Path, help="write what was missed and eaten to this file")
    options = parser.parse_args()
    failures: list[dict[str, Any]] = []
    for figure in chain(ordinary_figures(), ward_figures(), corpus_figures(failures)):
        print(json.dumps({"part": "redaction", **figure}), flush=True)
    if options.failures:
        lines = (json.dumps(failure, ensure_ascii=False) for failure in failures)
        options.failures.write_text("\n".join(lines), encoding="utf-8")


def corpus_figures(failures: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Measure three redactors on the corpus when it is there."""
    try:
        lessons = corpus(everything=True)
    except OSError:
        return
    parts = folds(lessons, FOLDS)
    taggers = [_tagger(number) for number in range(FOLDS)]
    of = {template: taggers[number] for number, part in enumerate(parts) for template in part}
    for writing in _WRITINGS:
        written = [written_as(lesson, writing) for lesson in lessons]
        found = [(lesson, _second(lesson.text, of[lesson.template])) for lesson in written]
        yield from _figures("second generation", writing, found)
        failures += [_failure(writing, lesson, places) for lesson, places in found]
        yield next(iter(_figures("first generation", writing, [(lesson, _first(lesson.text)) for lesson in written])))
        yield next(
            iter(_figures("words with capitals", writing, [(lesson, _capitals(lesson.text)) for lesson in written]))
        )
        took = []
        for lesson in written:
            began = time.thread_time()
            redact(lesson.text)
            took.append((time.thread_time() - began) * 1000)
        median, high = np.percentile(took, [50, 95])
        yield {
            "writing": writing,
            "figure": "ms of a processor an utterance",
            "n": len(took),
            "mean": round(float(np.mean(took)), 3),
            "median": round(float(median), 3),
            "p95": round(float(high), 3),
            "limit": 2.0,
        }


def ordinary_figures() -> Iterable[dict[str, Any]]:
    """Count ordinary sentences of a ward of which something is eaten, as they are and as a recogniser writes them."""
    lines = [line for line in _ORDINARY.read_text(encoding="utf-8").splitlines() if line]
    for writing in _WRITINGS:
        texts = [written_as(Lesson(line, ()), writing).text for line in lines]
        for name, redactor in _REDACTORS:
            eaten = sum(bool(redactor(text)) for text in texts)
            yield {
                "data": "ordinary sentences",
                "writing": writing,
                "redactor": name,
                "n": len(texts),
                "eaten": eaten,
                "share": round(eaten / len(texts), 4),
                "interval": _interval(eaten, len(texts)),
            }


def ward_figures() -> Iterable[dict[str, Any]]:
    """Measure sentences of a ward with identities and without; `_FIRST_WARD` was measured first."""
    for first in _FIRST_WARD:
        yield {"data": _WARD[0][0], "measured": "first, before anything was changed after them", **first}
    for data, path in _WARD:
        cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for writing in _WRITINGS:
            lessons = [
                written_as(
                    Lesson(case["text"], tuple((s["start"], s["end"], s["kind"]) for s in case["spans"])), writing
                )
                for case in cases
            ]
            plain = [lesson.text for lesson in lessons if not lesson.spans]
            for name, redactor in _REDACTORS:
                figures = _figures(name, writing, [(lesson, redactor(lesson.text)) for lesson in lessons])
                eaten = sum(bool(redactor(text)) for text in plain)
                yield {**next(iter(figures)), "data": data, "eaten": eaten, "ordinary": len(plain)}


def _figures(name: str, writing: str, found: Sequence[tuple[Lesson, Places]]) -> Iterable[dict[str, Any]]:
    """Yield the figures of all kinds together, then those of each."""
    tally: Counter[tuple[str, str]] = Counter()
    for lesson, places in found:
        out = _characters(places)
        wanted = _characters((start, end) for start, end, _ in lesson.spans)
        tally["all", "out"] += len(out)
        tally["all", "right"] += len(out & wanted)
        for start, end, kind in lesson.spans:
            of_span = set(range(start, end))
            for key in ("all", str(kind)):
                tally[key, "characters"] += len(of_span)
                tally[key, "covered"] += len(of_span & out)
                tally[key, "entities"] += 1
                tally[key, "whole"] += of_span <= out
    kinds = sorted({kind for kind, _ in tally} - {"all"})
    for of in ("all", *kinds):
        figure: dict[str, Any] = {
            "data": "presidio_synth, held out",
            "writing": writing,
            "redactor": name,
            "kind": of,
            "recall": round(tally[of, "covered"] / tally[of, "characters"], 3),
        }
        if of == "all":
            figure["precision"] = round(tally["all", "right"] / max(1, tally["all", "out"]), 3)
        whole, entities = tally[of, "whole"], tally[of, "entities"]
        yield {
            **figure,
            "entities": entities,
            "found": round(whole / entities, 3),
            "interval": _interval(whole, entities),
        }


def _interval(hits: int, of: int) -> tuple[float, float]:
    share = wilson(hits, of)
    assert share is not None
    return round(share.low, 3), round(share.high, 3)


def _tagger(number: int) -> Tagger:
    head = _ROOT / "models" / "redaction" / f"without_{number}.npz"
    words = _ROOT / "shared" / "forge_language" / "tagging" / "lexicon.npz"
    return read(head.read_bytes(), words.read_bytes())


def _second(text: str, tagger: Tagger) -> Places:
    return [(span.start, span.end) for span in redact(text, tagger=tagger).spans]


def _installed(text: str) -> Places:
    return [(span.start, span.end) for span in redact(text).spans]


def _first(text: str) -> Places:
    """Redact with the first generation's patterns alone, as often as they find anything."""
    tokens = split(text)
    found: Places = []
    for finder in (mail_addresses, addresses, dates, postcodes, numbers, names):
        fresh = finder(tokens)
        hide(tokens, fresh)
        found += [(span.start, span.end) for span in fresh]
    return found


def _capitals(text: str) -> Places:
    """Redact words with a capital that open no sentence, and words with a figure."""
    return [
        match.span()
        for match in _CAPITAL.finditer(text)
        if any(mark.isdecimal() for mark in match[0])
        or (
            match[0][0].isupper() and match[0] != "I" and text[: match.start()].rstrip()[-1:] not in {"", ".", "!", "?"}
        )
    ]


_REDACTORS: Final[tuple[tuple[str, Redactor], ...]] = (
    ("second generation", _installed),
    ("first generation", _first),
    ("words with capitals", _capitals),
)


def _failure(writing: str, lesson: Lesson, places: Places) -> dict[str, Any]:
    out = _characters(places)
    wanted = _characters((start, end) for start, end, _ in lesson.spans)
    missed = [(kind, lesson.text[start:end]) for start, end, kind in lesson.spans if not set(range(start, end)) <= out]
    eaten = [lesson.text[start:end] for start, end in places if not set(range(start, end)) & wanted]
    return {"writing": writing, "template": lesson.template, "text": lesson.text, "missed": missed, "eaten": eaten}


def _characters(places: Iterable[tuple[int, int]]) -> set[int]:
    return {place for start, end in places for place in range(start, end)}


if __name__ == "__main__":
    main()
