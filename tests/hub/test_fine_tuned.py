"""Fine-tuned encoders: written as a folder, used only unaltered and with the golden answers, read beside the head."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forge_hub.__main__ import main
from forge_hub.errors import ReleaseError, TrainingError
from forge_hub.mind import fine_tuned
from forge_hub.mind.fine_tuned import FineTuned
from forge_hub.mind.taggers.affect import AffectTagger
from forge_hub.mind.taggers.distortions import DistortionTagger
from forge_hub.mind.taggers.emotions import EmotionTagger
from forge_hub.training import encoder_release
from forge_hub.training.fine_tuning import Course
from forge_hub.training.fine_tuning import FineTuned as Tuned
from forge_language.affect import affect_head
from forge_language.encoder.package import Encoder, encoder
from forge_language.encoder.transformer import LONGEST
from forge_language.taxonomy import DISTORTIONS, GOEMOTIONS

pytestmark = pytest.mark.skipif(encoder()[0] is None, reason="the encoder's package is not installed")

WRITTEN = Path(__file__).parents[2] / "models" / "mind" / "distortions" / "data"
WHEN = datetime(2026, 1, 5, tzinfo=UTC)


def only_the_output(on: Encoder, texts: Sequence[str], targets: NDArray[np.float32], _: Course) -> Tuned:
    """Learn as the real recipe does, but the output alone, by least squares: seconds instead of an hour."""
    rows = np.array([on.transformer.states(on.vocabulary.encode(text, LONGEST)).mean(axis=0) for text in texts])
    square = rows.T @ rows + np.eye(rows.shape[1], dtype=np.float32)
    weight = np.linalg.solve(square, rows.T @ (targets - targets.mean(axis=0)))
    return Tuned(on.transformer, weight.astype(np.float32), targets.mean(axis=0))


def made_affect(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    moods = [("a lovely happy day number", 5, 4), ("a sad and awful day number", 1, 2), ("day number", 3, 3)]
    rows = [
        f"{split}{n}{v},{split},{v},{a},3,{said} {n}"
        for split, count in (("train", 8), ("dev", 3))
        for n in range(count)
        for said, v, a in moods
    ]
    (folder / "emobank_train_dev.csv").write_text("id,split,V,A,D,text\n" + "\n".join(rows), encoding="utf-8")
    return folder


def made_emotions(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    said = {"joy": "what a happy day", "anger": "I am furious with them", "neutral": "the bus is at nine"}
    for split, count in (("train", 12), ("dev", 3)):
        lines = [f"{said[key]} {n}\t{GOEMOTIONS.index(key)}\tid{n}" for n in range(count) for key in said]
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def made_distortions(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, every in (("writer_3.jsonl", 20), ("threshold.jsonl", 20)):
        lines = (WRITTEN / name).read_text(encoding="utf-8").splitlines()
        (folder / name).write_text("\n".join(lines[::every]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def affect(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fine-tuned")
    data = made_affect(tmp_path_factory.mktemp("data"))
    encoder_release.write("affect", data, folder / "affect", tune=only_the_output, made_at=WHEN)
    return folder


def test_what_was_written_is_found_and_reads_as_it_was_taught(affect: Path) -> None:
    found = fine_tuned.all_of(affect)["affect"]
    happy, sad = found.read(["a lovely happy day", "a sad and awful day"])
    assert happy[0] > 0.3 > -0.3 > sad[0]
    manifest = found.manifest
    assert (manifest.role, manifest.licence) == ("text-encoder", "CC-BY-SA-4.0")
    assert [each.name for each in manifest.metrics] == ["r of valence", "r of arousal"]
    assert manifest.metrics[0].value > 0.8
    assert "never on patients" in (affect / "affect" / "README.md").read_text(encoding="utf-8")


def test_the_reading_is_the_mean_of_encoder_and_head_and_the_signature_names_both(affect: Path) -> None:
    better = fine_tuned.all_of(affect)["affect"]
    [[alone]], [[both]] = (tagger.infer(["a sad and awful day"]) for tagger in (AffectTagger(), AffectTagger(better)))
    [said] = better.read(["a sad and awful day"])
    assert alone.valence is not None
    assert both.valence == pytest.approx((alone.valence + max(-1.0, float(said[0]))) / 2, abs=1e-4)
    head = affect_head()
    assert head is not None
    assert AffectTagger(better).signature == f"head-{head[0].version}+{better.version}"
    assert AffectTagger(better).infer(["", "a sad and awful day"])[1] == (both,)


def test_emotions_are_those_of_the_encoder_and_quoted_by_the_head(tmp_path: Path) -> None:
    data = made_emotions(tmp_path / "data")
    better = encoder_release.write("emotions", data, tmp_path / "e", tune=only_the_output, made_at=WHEN)
    said = "I am furious with them 5"
    [found] = EmotionTagger(better).infer([said])
    assert "anger" in {one.label for one in found}
    assert all(said[one.start : one.end] for one in found)
    assert EmotionTagger(better).signature == f"head-{better.version}"


@pytest.mark.parametrize("file", [fine_tuned.MODEL, fine_tuned.VOCABULARY, "golden_output.json"])
def test_an_encoder_of_which_a_file_was_altered_is_refused(affect: Path, tmp_path: Path, file: str) -> None:
    copy = copied(affect, tmp_path)
    content = bytearray((copy / file).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / file).write_bytes(content)
    with pytest.raises(ReleaseError, match="not the one"):
        fine_tuned.opened(copy)


def test_an_encoder_whose_golden_texts_get_other_answers_here_is_refused(affect: Path, tmp_path: Path) -> None:
    copy = copied(affect, tmp_path)
    file, manifest = copy / "golden_output.json", copy / "manifest.json"
    answers = json.loads(file.read_text(encoding="utf-8"))
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    answers[0][0] += 0.5
    file.write_text(json.dumps(answers), encoding="utf-8")
    after = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(ReleaseError, match="other answers"):
        fine_tuned.opened(copy)


def test_an_encoder_that_is_calibrated_for_other_labels_is_refused(distortions: Path, tmp_path: Path) -> None:
    folder = tmp_path / "another"
    shutil.copytree(distortions, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for spoilt in (
        {**manifest["calibration"], "thresholds": []},
        {**manifest["calibration"], "slope": [1.0, 1.0]},
        None,
    ):
        (folder / "manifest.json").write_text(json.dumps({**manifest, "calibration": spoilt}), encoding="utf-8")
        with pytest.raises(ReleaseError, match="other labels"):
            fine_tuned.opened(folder)


def test_a_folder_without_manifest_or_with_a_file_missing_is_refused(affect: Path, tmp_path: Path) -> None:
    copy = copied(affect, tmp_path)
    (copy / "README.md").unlink()
    with pytest.raises(ReleaseError, match="cannot be read"):
        fine_tuned.opened(copy)
    assert fine_tuned.all_of(tmp_path) == fine_tuned.all_of(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("raised", [PermissionError(13, "no"), RuntimeError("no home")])
def test_a_hub_that_may_not_look_where_they_would_lie_has_none_and_starts(
    raised: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise raised

    monkeypatch.setattr(Path, "glob" if isinstance(raised, OSError) else "expanduser", refuse)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert fine_tuned.of_this_machine() == {}


def test_data_that_are_not_there_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        encoder_release.write("affect", tmp_path, tmp_path / "out", tune=only_the_output, made_at=WHEN)


@pytest.fixture(scope="module")
def distortions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fine-tuned")
    data = made_distortions(folder / "data")
    encoder_release.write("distortions", data, folder / "distortions", tune=only_the_output, made_at=WHEN)
    return folder / "distortions"


@pytest.fixture(scope="module")
def of_distortions(distortions: Path) -> FineTuned:
    return fine_tuned.opened(distortions)


def test_distortions_are_those_of_the_encoder_and_quoted_by_the_head(of_distortions: FineTuned) -> None:
    lines = (WRITTEN / "writer_3.jsonl").read_text(encoding="utf-8").splitlines()[::20]
    taught = [one for one in map(json.loads, lines) if one["labels"]]
    tagger = DistortionTagger(DISTORTIONS, of_distortions)
    [*found, none] = tagger.infer([*(one["text"] for one in taught), "The bus goes from the gate at nine."])
    assert none == ()
    named = [(one, of_one) for one, of_one in zip(taught, found, strict=True) if of_one]
    assert named
    for one, of_one in named:
        assert of_one[0].label in {quote["label"] for quote in one["labels"]}
        assert one["text"][of_one[0].start : of_one[0].end]
        assert of_distortions.version in of_one[0].version
    assert tagger.signature.startswith(f"head-{of_distortions.version}+")


def test_the_encoder_of_distortions_leaves_the_look_alikes_that_set_its_threshold_alone(
    of_distortions: FineTuned,
) -> None:
    lines = (WRITTEN / "threshold.jsonl").read_text(encoding="utf-8").splitlines()[::20]
    benign = [one["text"] for one in map(json.loads, lines) if not one["labels"]]
    named = DistortionTagger(DISTORTIONS, of_distortions).infer(benign)
    assert sum(map(bool, named)) <= 1
    assert "sensitivity" in of_distortions.manifest.metrics[0].name


def test_without_jax_the_extra_that_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jax", None)
    data = made_affect(tmp_path / "data")
    out = str(tmp_path / "out")
    assert main(["train", "head", "affect", "--fine-tune", "--data", str(data), "--out", out]) == 1
    assert "extra 'fine-tune'" in capsys.readouterr().err


def test_the_encoder_itself_learns(tmp_path: Path) -> None:
    data, out = made_affect(tmp_path / "data"), tmp_path / "out"
    # A process of its own: JAX's threads forbid a fork ever after to whoever imports it.
    asked = ("train", "head", "affect", "--fine-tune", "--data", str(data), "--out", str(out))
    subprocess.run([sys.executable, "-m", "forge_hub", *asked], check=True, timeout=120, capture_output=True)
    assert fine_tuned.opened(out).manifest.metrics[0].value > 0.5


def copied(affect: Path, to: Path) -> Path:
    copy = to / "copy"
    copy.mkdir()
    for file in (affect / "affect").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy
