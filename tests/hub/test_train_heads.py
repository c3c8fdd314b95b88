"""Training of the small heads on made data: the same data give the same bytes; what cannot be trained is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from forge_hub.__main__ import main
from forge_hub.errors import TrainingError
from forge_hub.training.calibration import calibration_error, regression
from forge_hub.training.distortions import examples, spoken
from forge_hub.training.emotions import macro_f1, thresholds
from forge_hub.training.heads import train
from forge_language.distortion_head import DistortionHead, distortion_head
from forge_language.heads.files import HeadName, read
from forge_language.heads.reader import reader
from forge_language.taxonomy import DISTORTIONS, GOEMOTIONS

WRITTEN = Path(__file__).parents[2] / "models" / "mind" / "distortions" / "data"


def made_data(folder: Path, name: HeadName) -> Path:
    folder.mkdir(exist_ok=True)
    if name == "distortions":
        lines = (WRITTEN / "writer_1.jsonl").read_text(encoding="utf-8").splitlines()
        (folder / "writer_1.jsonl").write_text("\n".join(lines[:60:4] + lines[600:660:4]), encoding="utf-8")
        (folder / "writer_2.jsonl").write_text("\n".join(lines[2:60:8] + lines[1500:1560:8]), encoding="utf-8")
        (folder / "threshold.jsonl").write_text("\n".join(lines[1600:1660:4]), encoding="utf-8")
    elif name == "emotions":
        said = {"joy": "what a happy day", "anger": "I am furious with them", "neutral": "the bus is at nine"}
        lines = [f"{said[key]} {n}\t{GOEMOTIONS.index(key)}\tid{n}" for n in range(10) for key in said]
        (folder / "train.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        rows = [f"{n},train,{1 + n % 5},{1 + n % 4},3,a sentence of {n} words" for n in range(30)]
        (folder / "emobank_train_dev.csv").write_text("id,split,V,A,D,text\n" + "\n".join(rows), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["distortions", "emotions", "affect"])
def test_the_same_data_give_the_same_head_byte_for_byte(name: HeadName, tmp_path: Path) -> None:
    data = made_data(tmp_path / "data", name)
    files = [train(name, data, tmp_path / out) for out in ("one", "two")]
    assert files[0].read_bytes() == files[1].read_bytes()
    about = json.loads(files[0].with_suffix(".json").read_text(encoding="utf-8"))
    assert read(name, files[0].read_bytes(), about).version == about["sha256"][:8]
    assert about["licence"]


def test_a_head_that_was_just_trained_knows_what_it_was_taught(tmp_path: Path) -> None:
    file = train("distortions", made_data(tmp_path, "distortions"), tmp_path)
    about = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    head, on = DistortionHead(read("distortions", file.read_bytes(), about)), reader()
    assert on is not None
    lines = (tmp_path / "writer_1.jsonl").read_text(encoding="utf-8").splitlines()
    taught = [one for one in map(json.loads, lines) if one["labels"]]
    scores = head.scores(on.read([one["text"] for one in taught]))[:, :-1]
    named = [list(DISTORTIONS)[place] for place in scores.argmax(axis=1)]
    right = [label in [quote["label"] for quote in one["labels"]] for label, one in zip(named, taught, strict=True)]
    assert np.mean(right) > 0.8


def test_of_twenty_look_alikes_that_set_the_threshold_nineteen_are_left_alone_on_any_machine() -> None:
    # It was set to leave as many here; another processor rounds another way, and two of 832 stand on the edge.
    cases = [json.loads(line) for line in (WRITTEN / "threshold.jsonl").read_text("utf-8").splitlines()]
    benign = [one["text"] for one in cases if not one["labels"]]
    assert len(benign) >= 150
    head = distortion_head()
    assert head is not None
    named = sum(map(bool, head[0].named([*benign, *map(spoken, benign)], head[1])))
    assert named <= 2 * len(benign) / 20


def test_training_without_data_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TrainingError):
        train("affect", tmp_path, tmp_path)
    assert main(["train", "head", "emotions", "--data", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_an_utterance_teaches_as_written_as_heard_its_quotes_and_its_rest(tmp_path: Path) -> None:
    said = "We had lunch at noon. I'm a failure!"
    quote = {"label": "labelling", "start": 22, "end": 35}
    (tmp_path / "u.jsonl").write_text(json.dumps({"text": said, "labels": [quote]}))
    found = {one.text: one.labels for one in examples(tmp_path / "u.jsonl")}
    assert found == {
        said: {"labelling"},
        spoken(said): {"labelling"},
        "I'm a failure": {"labelling"},
        "We had lunch at noon. !": frozenset(),
    }


def test_a_threshold_is_where_f1_is_highest() -> None:
    scores = np.array([[0.9], [0.7], [0.4], [0.1]], np.float32)
    labels = np.array([[1], [1], [0], [0]], np.float32)
    [limit] = thresholds(scores, labels)
    assert limit == np.float32(0.7)
    assert macro_f1(scores >= limit, labels) == 1


def test_a_confidence_that_is_always_right_on_average_has_no_calibration_error() -> None:
    assert calibration_error(np.array([0.5, 0.5, 1.0]), np.array([0, 1, 1])) == 0
    assert calibration_error(np.array([0.95, 0.95]), np.array([0, 0])) == pytest.approx(0.95)
    odds = regression(np.array([[1.0], [1.0], [1.0], [1.0]]), np.array([1, 1, 1, 0]))
    assert 1 / (1 + np.exp(-odds[0])) == pytest.approx(0.75, abs=0.01)
