"""Fine-tunes an encoder for a head and writes what a hub can use: model, vocabulary, card, golden texts, manifest."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_hub.errors import TrainingError
from forge_hub.mind.fine_tuned import (
    MODEL,
    VOCABULARY,
    Calibration,
    EncoderManifest,
    FineTuned,
    FineTunedName,
    opened,
    said_of,
)
from forge_hub.training import affect, distortions, emotions
from forge_hub.training.calibration import slope_and_shift
from forge_hub.training.fine_tuning import LABEL, SQUARE, Course, FineTune
from forge_language.distortion_head import LABELS, presence
from forge_language.encoder import word_pieces
from forge_language.encoder.built import Runner
from forge_language.encoder.package import encoder
from forge_language.encoder.quantised import quantised_with_output
from forge_language.heads.reader import as_read
from forge_language.taxonomy import GOEMOTIONS
from forge_shared.releases import MANIFEST, Golden, Provenance, ReleaseFile, ReleaseMetric, Tensor

Array = NDArray[np.float32]

VERSION: Final = "1.0.0"
_GOLDEN_TEXTS: Final = (
    "I always mess things up. Everyone probably thinks I'm a failure.",
    "thank you so much that was really kind of you",
    "The physio came at ten and we did the stairs.",
    "I am furious that nobody told me!",
    "what a lovely surprise",
)
TOLERANCE: Final = 0.02
"""Of the golden answers' range. Ours: another processor's rounding changes them by less than a hundredth."""
_CARD: Final = """# Card: {head} by a fine-tuned encoder

All-MiniLM-L6-v2 (Apache-2.0) after {epochs} epochs on {data}, weights and activations in bytes; licence {licence}.

**What it is for.** The same as the head `{head}` of `models/mind`, of which this is the larger sister: read that card
and compare the figures before you use this one. A hypothesis for a clinician, never a diagnosis, never shown to the
patient.

**How it is made.** `forge-hub train head {head} --fine-tune --data FOLDER --out FOLDER`, seed {seed}.

**How well it does.** {figures}

**On whom.** {data}: never on patients' speech.
"""


_Reads = Callable[[Sequence[str]], Array]


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What a head learns, and what is made of it.

    Attributes:
        texts: To learn from.
        targets: What is to be said of them, shape ``(texts, outputs)``.
        course: How it is learnt.
        deviation, mean: Turn what was learnt into what is said, shape ``(outputs,)``.
        judge: Given what reads texts, returns how it is calibrated and how well it does.
        data: Their name.
        licence: Of the data, and of what is made of them.
        said: The output.
    """

    texts: Sequence[str]
    targets: Array
    course: Course
    deviation: Array
    mean: Array
    judge: Callable[[_Reads], tuple[Calibration | None, list[ReleaseMetric]]]
    data: str
    licence: str
    said: Tensor


def write(name: FineTunedName, data: Path, out: Path, *, tune: FineTune, made_at: datetime) -> FineTuned:
    """Fine-tune an encoder, write its folder, and return what was written as the hub opens it.

    Args:
        name: Which head.
        data: The folder of its data set, the same as the small head's.
        out: The folder to write to.
        tune: Does the learning: `forge_hub.training.fine_tuning.fine_tune`.
        made_at: When.

    Raises:
        TrainingError: The data or the encoder are not there.
        ReleaseError: What was written cannot be used.
    """
    start, state = encoder()
    if start is None:
        raise TrainingError(f"the encoder's weights are {state}")
    try:
        lesson = _LESSONS[name](data)
    except (OSError, KeyError, ValueError) as error:
        raise TrainingError(f"the data of '{name}' cannot be read: {type(error).__name__}") from error
    tuned = tune(start, [as_read(text) for text in lesson.texts], lesson.targets, lesson.course)
    weight, bias = tuned.weight * lesson.deviation, tuned.bias * lesson.deviation + lesson.mean
    model = quantised_with_output(tuned.transformer, weight, bias)
    runner = Runner(model, start.vocabulary)
    calibration, metrics = lesson.judge(lambda texts: said_of(runner, texts))
    figures = "; ".join(f"{each.name} {each.value} on {each.data}" for each in metrics) or "not measured"
    card = _CARD.format(
        head=name,
        epochs=lesson.course.epochs,
        seed=lesson.course.seed,
        data=lesson.data,
        licence=lesson.licence,
        figures=figures,
    )
    files = {
        MODEL: model,
        VOCABULARY: word_pieces.written(start.vocabulary).encode(),
        "README.md": card.encode(),
        "golden_input.json": json.dumps(_GOLDEN_TEXTS, indent=1).encode(),
        "golden_output.json": json.dumps(
            said_of(runner, _GOLDEN_TEXTS).astype(float).round(5).tolist(), indent=1
        ).encode(),
    }
    manifest = EncoderManifest(
        name=f"{name}-minilm",
        version=VERSION,
        head=name,
        licence=lesson.licence,
        card="README.md",
        files=tuple(
            ReleaseFile(path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
            for path, content in files.items()
        ),
        inputs=(
            Tensor(
                name="pieces",
                shape=("texts", "pieces"),
                dtype="int64",
                axes=("texts of one length", "word pieces, the first and last mark included"),
                unit="number in vocab.txt",
            ),
        ),
        outputs=(lesson.said,),
        golden=Golden(input="golden_input.json", output="golden_output.json", tolerance=TOLERANCE),
        calibration=calibration,
        metrics=tuple(metrics),
        provenance=Provenance(
            source=f"forge-hub {metadata.version('persona-forge-hub')} train head {name} --fine-tune",
            data_licences=(lesson.licence,),
            made_at=made_at,
        ),
    )
    out.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        (out / path).write_bytes(content)
    (out / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return opened(out)


def _affect(data: Path) -> _Lesson:
    file = data / "emobank_train_dev.csv"
    texts, readings = affect.sentences(file, "train")
    mean, deviation = readings.mean(axis=0), readings.std(axis=0)
    dev, rated = affect.sentences(file, "dev")

    def judge(read: _Reads) -> tuple[None, list[ReleaseMetric]]:
        given = read(dev) if dev else np.zeros((0, 2), np.float32)
        return None, [
            ReleaseMetric(
                name=f"r of {axis}",
                value=round(float(np.corrcoef(given[:, place], rated[:, place])[0, 1]), 3),
                data=f"EmoBank dev, {len(dev)} sentences",
            )
            for place, axis in enumerate(("valence", "arousal"))
            if dev
        ]

    return _Lesson(
        texts,
        ((readings - mean) / deviation).astype(np.float32),
        Course(losses=(SQUARE,) * 2, epochs=5),
        deviation,
        mean,
        judge,
        f"{len(texts)} sentences of EmoBank's train split (Buechel and Hahn 2017)",
        "CC-BY-SA-4.0",
        Tensor(
            name="said",
            shape=("texts", "pieces", 2),
            dtype="float32",
            axes=("texts", "word pieces, of which the mean counts", "valence, arousal"),
            unit="(rating - 3) / 2, -1 to 1",
        ),
    )


def _emotions(data: Path) -> _Lesson:
    texts, labels = emotions.comments(data / "train.tsv")
    held = np.arange(len(texts)) % emotions.HELD_OUT == 0
    checked = [text for text, out in zip(texts, held, strict=True) if out]
    dev, true = emotions.comments(data / "dev.tsv") if (data / "dev.tsv").exists() else ([], labels[:0])

    def judge(read: _Reads) -> tuple[Calibration, list[ReleaseMetric]]:
        scores = read(checked)
        limits = emotions.thresholds(scores, labels[held])
        slope, shift = slope_and_shift(scores, labels[held])
        calibration = Calibration(
            **{
                name: tuple(map(float, each))
                for name, each in {"thresholds": limits, "slope": slope, "shift": shift}.items()
            }
        )
        if not dev:
            return calibration, []
        value = round(emotions.macro_f1(read(dev) >= limits, true), 3)
        return calibration, [ReleaseMetric(name="macro F1", value=value, data=f"GoEmotions dev, {len(dev)} comments")]

    width = len(GOEMOTIONS)
    return _Lesson(
        [text for text, out in zip(texts, held, strict=True) if not out],
        labels[~held],
        Course(losses=(LABEL,) * width, epochs=4),
        np.ones(width, np.float32),
        np.zeros(width, np.float32),
        judge,
        f"{int((~held).sum())} comments of GoEmotions' train split (Demszky et al. 2020)",
        "CC-BY-4.0",
        _log_odds(width, "labels in the order of GOEMOTIONS"),
    )


def _distortions(data: Path) -> _Lesson:
    taught = distortions.taught(data)
    judged = distortions.judges(data)
    checked, named = [one.text for one in judged], distortions.targets(judged)

    def judge(read: _Reads) -> tuple[Calibration, list[ReleaseMetric]]:
        scores = read(checked)
        limit = distortions.threshold(scores[named[:, -1] == 0])
        slope, shift = distortions.of_all_labels(scores, named)
        calibration = Calibration(thresholds=(limit,), slope=(slope,), shift=(shift,))
        found = presence(scores)[named[:, -1] == 1] >= limit
        return calibration, [
            ReleaseMetric(
                name=f"sensitivity where {distortions.SPECIFICITY:.0%} of look-alikes are left alone",
                value=round(float(found.mean()), 3),
                data=f"threshold.jsonl, {len(found)} texts, by which the threshold was set",
            )
        ]

    width = len(LABELS) + 1
    return _Lesson(
        [one.text for one in taught],
        distortions.targets(taught),
        Course(losses=(LABEL,) * width, epochs=4),
        np.ones(width, np.float32),
        np.zeros(width, np.float32),
        judge,
        f"{len(taught)} texts of utterances that were written for it",
        "Apache-2.0",
        _log_odds(width, "labels in the order of LABELS, and any at all"),
    )


def _log_odds(width: int, labels: str) -> Tensor:
    return Tensor(
        name="said",
        shape=("texts", "pieces", width),
        dtype="float32",
        axes=("texts", "word pieces, of which the mean counts", labels),
        unit="log-odds",
    )


_LESSONS: Final[Mapping[FineTunedName, Callable[[Path], _Lesson]]] = {
    "affect": _affect,
    "emotions": _emotions,
    "distortions": _distortions,
}
