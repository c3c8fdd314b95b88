"""The adapter below the heads: taught all that they tell at once; its file makes one encoder everywhere."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.fakes.low_rank import learnt

from forge_hub.__main__ import main
from forge_hub.errors import TrainingError
from forge_hub.training import adapter as training
from forge_hub.training.adapter import COURSE, Folders
from forge_hub.training.fine_tuning import LABEL, SQUARE, Course, FineTuned
from forge_hub.training.writing import MOST_BYTES, write
from forge_language.encoder import adapter, built, numbers_file
from forge_language.encoder.package import WEIGHTS_SHA256, Encoder, encoder
from forge_language.encoder.quantised import quantised
from forge_language.encoder.transformer import LONGEST, MATRICES, forward

pytestmark = pytest.mark.skipif(encoder()[0] is None, reason="the encoder's package is not installed")

WRITTEN = Path(__file__).parents[2] / "models" / "mind" / "distortions" / "data"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    (tmp_path / "train.tsv").write_text("".join(f"so happy {n}\t17\tid{n}\n" for n in range(9)), encoding="utf-8")
    rows = [f"{n},train,{1 + n % 5},{1 + n % 4},3,a day of {n} words" for n in range(10)]
    (tmp_path / "emobank_train_dev.csv").write_text("id,split,V,A,D,text\n" + "\n".join(rows), encoding="utf-8")
    lines = (WRITTEN / "writer_10.jsonl").read_text(encoding="utf-8").splitlines()[:5]
    (tmp_path / "writer_1.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return Folders(tmp_path, tmp_path, tmp_path)


class Chance:
    """Learns nothing: a change at random, of the size of a learnt one. Keeps what it was asked to learn."""

    def __init__(self) -> None:
        self.texts: Sequence[str] = ()
        self.targets: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def __call__(self, start: Encoder, texts: Sequence[str], targets: NDArray[np.float32], course: Course) -> FineTuned:
        self.texts, self.targets = texts, targets
        chance, width = np.random.default_rng(course.seed), len(start.transformer.scale)
        assert course.rank is not None
        change = {
            f"{depth}.{name}.{end}": chance.normal(0, 0.02, (size, course.rank)).astype(np.float32)
            for depth, layer in enumerate(start.transformer.layers[: course.layers])
            for name in MATRICES
            for end, size in zip(("down", "up"), layer.matrices[name].shape, strict=True)
        }
        return FineTuned(
            start.transformer,
            np.zeros((width, targets.shape[1]), np.float32),
            np.zeros(targets.shape[1], np.float32),
            change,
        )


def test_the_adapter_that_comes_with_this_is_the_one_described_and_small_enough_for_the_repository() -> None:
    data = (training.home() / "adapter.npz").read_bytes()
    about = adapter.description()
    assert hashlib.sha256(data).hexdigest() == about["sha256"]
    assert len(data) <= MOST_BYTES
    assert about["weights_sha256"] == WEIGHTS_SHA256
    assert (about["layers"], about["rank"]) == (COURSE.layers, COURSE.rank)
    card = Path(__file__).parents[2] / "models" / "mind" / "adapter" / "README.md"
    assert str(about["sha256"])[:8] in card.read_text(encoding="utf-8")


def test_each_text_teaches_what_its_data_tell_and_nothing_else(folders: Folders, tmp_path: Path) -> None:
    tune = Chance()
    training.train(folders, tmp_path / "out", tune=tune)
    known = ~np.isnan(tune.targets)
    comments, sentences = known[:, 0], known[:, 28]
    assert comments.sum() == 7  # every eighth sets thresholds and teaches nothing
    assert sentences.sum() == 10
    assert known[:, 30].sum() == len(tune.texts) - 17 >= 5
    assert (known.sum(axis=1) == np.select([comments, sentences], [28, 2], 14)).all()
    assert np.abs(tune.targets[sentences, 28:30].mean(axis=0)).max() < 1e-5
    assert (tune.targets[comments, 17] == 1).all()


def test_the_encoder_that_the_description_names_is_the_one_that_the_file_makes(
    folders: Folders, tmp_path: Path
) -> None:
    file = training.train(folders, tmp_path / "out", tune=Chance())
    about = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    on, _ = encoder()
    assert on is not None
    changed = adapter.changed(on.transformer, numbers_file.read(file.read_bytes()))
    assert len(changed.layers) == about["layers"] == built.DEPTHS[-1]
    assert hashlib.sha256(quantised(changed, built.DEPTHS)).hexdigest() == about["encoder_sha256"] != built.digest()
    assert about["texts"] >= 22


def test_a_change_is_the_product_of_its_two_halves() -> None:
    on, _ = encoder()
    assert on is not None
    numbers = Chance()(on, (), np.zeros((0, 44), np.float32), COURSE).change
    changed = adapter.changed(on.transformer, numbers)
    for depth, layer in enumerate(changed.layers):
        for name in MATRICES:
            wanted = numbers[f"{depth}.{name}.down"] @ numbers[f"{depth}.{name}.up"].T
            given = layer.matrices[name] - on.transformer.layers[depth].matrices[name]
            assert np.allclose(given, wanted, atol=1e-5)


def test_a_layer_learns_by_a_change_of_low_rank_and_is_otherwise_as_it_was() -> None:
    on, _ = encoder()
    assert on is not None
    said = {"a lovely happy day": (1.0, 1.0), "a sad and awful day": (0.0, -1.0), "the day and its date": (0.0, np.nan)}
    texts = [f"{text} {n}" for n in range(8) for text in said]
    targets = np.array([said[text[:-2]] for text in texts], np.float32)
    course = Course(losses=(LABEL, SQUARE), epochs=12, batch=8, rate=3e-3, layers=1, rank=4)
    change, weight, bias, is_otherwise_the_same = learnt(texts, targets, course)
    assert is_otherwise_the_same
    [layer] = adapter.changed(on.transformer, change).layers
    rows = [
        forward(on.transformer.embedded(on.vocabulary.encode(f"{text} 9", LONGEST)), layer).mean(axis=0)
        for text in said
    ]
    (happy, glad), (sad, sorry), (neither, _) = np.array(rows) @ weight + bias
    assert happy > 0 > max(sad, neither)
    assert glad > 0.3 > -0.3 > sorry
    assert max(float(np.abs(values).max()) for name, values in change.items() if name.endswith("up")) > 0.01


def test_an_altered_adapter_makes_no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    about = adapter.description()
    monkeypatch.setattr(adapter, "description", lambda: {**about, "sha256": "0" * 64})
    with pytest.raises(ValueError, match="not the one"):
        built.build()


def test_what_is_too_large_for_the_repository_is_not_written(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, MOST_BYTES + 10_000, np.uint8)
    with pytest.raises(TrainingError, match="more than"):
        write("adapter", {"noise": noise}, {}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_data_that_are_not_there_teach_no_adapter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        training.train(Folders(tmp_path, tmp_path, tmp_path), tmp_path / "out", tune=Chance())
    given = [f"--{name}={tmp_path}" for name in ("emotions", "affect", "distortions", "out")]
    assert main(["train", "adapter", *given]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
