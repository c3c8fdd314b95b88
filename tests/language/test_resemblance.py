"""The trained head of crisis language: what it reads, how it stands in for phrases, and what happens without it."""

import json
import zipfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models.crisis.network import Network

from forge_language import crisis
from forge_language.crisis import judge, judge_by_phrases
from forge_language.danger import resemblance
from forge_language.danger.catalogue import catalogue, read
from forge_language.danger.resemblance import Head, Weighing, as_read, head
from forge_language.encoder import package, weights_file, word_pieces
from forge_language.encoder.transformer import normal_share

_ROOT = Path(__file__).parents[2]
_DANGER = resources.files("forge_language.danger")


@pytest.fixture(scope="module")
def trained() -> Head:
    found, state = head("en")
    if found is None:
        pytest.skip(f"the encoder's package is {state} here")
    return found


@pytest.fixture
def without_encoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(package, "_PLACES", ())
    package.encoder.cache_clear()
    head.cache_clear()
    yield
    package.encoder.cache_clear()
    head.cache_clear()


@pytest.mark.usefixtures("without_encoder")
def test_without_the_encoder_the_phrases_judge_alone_and_the_judgement_says_so() -> None:
    judged = judge("i can't breathe")
    assert judged == judge_by_phrases("i can't breathe")
    assert judged.crisis
    assert not judged.by_resemblance


@pytest.mark.usefixtures("without_encoder")
def test_an_altered_encoder_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "forged_encoder"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "model.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{}")
    (folder / "vocab.txt").write_text("[CLS]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(package, "_PLACES", (("forged_encoder", "."),))
    assert package.encoder() == (None, "altered")
    assert head("en") == (None, "altered")
    assert judge("i can't breathe").crisis


def shipped() -> tuple[dict[str, Any], list[bytes]]:
    about = json.loads(_DANGER.joinpath("resemblance_en.json").read_text(encoding="utf-8"))
    return about, [_DANGER.joinpath(name).read_bytes() for name in about["members"]]


def test_a_head_that_is_not_the_described_one_is_refused(trained: Head) -> None:
    about, (first, *others) = shipped()
    for files in ([first + b"\0", *others], [first], [*others, first]):
        with pytest.raises(ValueError, match="not the ones"):
            resemblance.read(about, files, trained.encoder)
    with pytest.raises(ValueError, match="not the ones"):
        resemblance.read({**about, "encoder_sha256": "0" * 64}, [first, *others], trained.encoder)


def test_the_members_of_the_head_are_small_and_those_of_the_manifest() -> None:
    about, files = shipped()
    manifest = json.loads((_ROOT / "models" / "crisis" / "manifest.json").read_text(encoding="utf-8"))
    assert len(files) > 1
    assert all(len(data) <= 1_000_000 for data in files)
    assert sorted(manifest["weights"].values()) == sorted(about["members"].values())


def test_the_golden_sentences_give_the_golden_shares(trained: Head) -> None:
    golden = json.loads((_ROOT / "models" / "crisis" / "golden.json").read_text(encoding="utf-8"))
    for case in golden["cases"]:
        found = trained.resemblance(case["text"], catalogue("en"))
        assert found.priorities == pytest.approx(case["priorities"], abs=golden["tolerance"])
        assert found.categories == pytest.approx(case["categories"], abs=golden["tolerance"])


def test_what_no_phrase_foresees_is_found_by_resemblance_with_the_sentence_as_its_span(trained: Head) -> None:
    said = " i keep a sharp lid under my pillow for when it gets bad "
    assert trained.resemblance(said, catalogue("en")).crisis > 0.5
    judged = judge(said)
    assert judged.by_resemblance
    assert judged.crisis
    mention = judged.mentions[0]
    assert mention.reasons == ("resembles",)
    assert (mention.start, mention.end) == (1, len(said) - 1)


def test_a_look_alike_that_a_phrase_takes_for_a_danger_stays_as_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    class Calm:
        weighing = Weighing(1.0, {"none": 0.0, "note": 0.0, "staff": 0.0, "urgent": 0.0}, 0.5)

        def resemblance(self, *_: Any) -> resemblance.Resemblance:
            return resemblance.Resemblance((0.9, 0.05, 0.03, 0.02), (0.0,) * 10)

    monkeypatch.setattr(crisis, "head", lambda _: (Calm(), "ready"))
    judged = judge("i can't breathe")
    assert judged.priority == "note"
    assert not judged.crisis
    assert judged.mentions[0].reasons == ("unlike",)
    assert judged.mentions[0].category == "breathing"


def test_the_phrases_raise_what_the_head_doubts_and_never_lower_it() -> None:
    about = json.loads(_DANGER.joinpath("resemblance_en.json").read_text(encoding="utf-8"))
    weighing = Weighing(**about["weighing"])
    for share in (0.01, 0.2, 0.5, 0.9):
        calm = weighing.confidence(share, "none")
        assert calm <= weighing.confidence(share, "staff")
        assert calm <= weighing.confidence(share, "urgent")


def test_the_head_reads_words_alone_so_that_a_recogniser_and_a_pen_are_one() -> None:
    words = catalogue("en")
    assert as_read("Oh, nurse... I CAN'T breathe!", words) == as_read("i cant breathe", words) == "i can not breathe"
    assert as_read("nurse", words)


def test_a_language_without_a_head_is_judged_by_its_phrases(monkeypatch: pytest.MonkeyPatch) -> None:
    english = json.loads(_DANGER.joinpath("en.json").read_text(encoding="utf-8"))
    german = {
        **english,
        "contractions": {},
        "endings": [],
        "verbs": ["sterben stirbt starb gestorben sterbend"],
        "classes": {},
        "words": {name: [] for name in english["words"]} | {"first": ["ich"], "negators": ["nicht"]},
        "dangers": [
            {"category": "wish-to-die", "priority": "staff", "confidence": 0.9, "phrases": ["will ~3 <sterben>"]}
        ],
        "idioms": {},
        "cues": {name: [] for name in english["cues"]},
    }
    words = read(german)
    monkeypatch.setattr(crisis, "catalogue", lambda _: words)
    judged = judge("Ich will sterben", "de")
    assert (judged.priority, judged.category, judged.by_resemblance) == ("staff", "wish-to-die", False)
    assert judge("Ich will nicht sterben", "de").priority == "note"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("hello", ["[CLS]", "hello", "[SEP]"]),
        ("Hello, Zoë!", ["[CLS]", "hello", ",", "zo", "##e", "!", "[SEP]"]),
        ("hellos", ["[CLS]", "hello", "##s", "[SEP]"]),
        ("xyz hello", ["[CLS]", "[UNK]", "hello", "[SEP]"]),
        ("x" * 200, ["[CLS]", "[UNK]", "[SEP]"]),
        ("hello " * 9, ["[CLS]", "hello", "hello", "[SEP]"]),
        ("", ["[CLS]", "[SEP]"]),
    ],
)
def test_text_is_cut_into_the_longest_known_pieces(text: str, pieces: list[str]) -> None:
    vocabulary = word_pieces.read("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\n,\n!\nzo\n##e\n##s\n")
    assert vocabulary.encode(text, 7 if "hello " not in text or "," in text else 4)[: len(pieces)] == [
        vocabulary.numbers[piece] for piece in pieces
    ]


def test_a_file_that_holds_no_tensors_is_refused() -> None:
    with pytest.raises(ValueError, match="no safetensors"):
        weights_file.read(b"\xff" * 16)
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    data = len(header).to_bytes(8, "little") + header + np.array([1, 2], "<f4").tobytes()
    assert weights_file.read(data)["a"].tolist() == [1, 2]


def test_the_normal_distribution_is_near_enough_to_its_table() -> None:
    shares = normal_share(np.array([-8, -1.96, 0, 1, 8], np.float32))
    assert shares == pytest.approx([0, 0.0249979, 0.5, 0.8413447, 1], abs=1e-6)


def test_the_gradients_of_the_training_are_those_of_its_network(trained: Head) -> None:
    chance = np.random.default_rng(3)
    network = Network.untrained(trained.encoder.transformer.layers[5:], 2, chance)
    for name, value in network.numbers.items():
        network.numbers[name] = value + (0.02 * chance.standard_normal(value.shape)).astype(np.float32)
    states = chance.standard_normal((2, 4, 384)).astype(np.float32)
    towards = chance.standard_normal((2, 15)).astype(np.float32)
    network.forward(states)
    gradients = network.backward(towards)
    for name in ("0.query.down", "0.value.up", "0.widen.bias", "0.narrow.up", "0.attended_scale", "weights"):
        place = np.unravel_index(int(np.abs(gradients[name]).argmax()), gradients[name].shape)
        kept = network.numbers[name][place]
        ends = []
        for change in (0.01, -0.01):
            network.numbers[name][place] = kept + change
            ends.append(float((network.forward(states) * towards).sum()))
        network.numbers[name][place] = kept
        assert (ends[0] - ends[1]) / 0.02 == pytest.approx(float(gradients[name][place]), rel=0.02)


def test_the_wheel_holds_the_catalogue_and_the_head(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder  # noqa: PLC0415 (a build tool, for this test alone)

    built = next(WheelBuilder(str(_ROOT / "shared" / "forge_language")).build(directory=str(tmp_path)))
    names = set(zipfile.ZipFile(built).namelist())
    assert {
        "forge_language/danger/en.json",
        "forge_language/danger/resemblance_en.json",
        "forge_language/danger/resemblance_en_1.npz",
        "forge_language/danger/resemblance_en_2.npz",
        "forge_language/encoder/transformer.py",
    } <= names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least", "calmest"), [("crisis", 0.98, 0.9), ("crisis-2", 0.98, 0.955), ("crisis-3", 0.985, 0.955)]
)
def test_most_crises_that_nobody_wrote_rules_for_are_found(
    trained: Head, name: str, least: float, calmest: float
) -> None:
    assert trained.encoder
    blind = _ROOT / "tests" / "golden" / "blind" / f"{name}.jsonl"
    cases = [json.loads(line) for line in blind.read_text(encoding="utf-8").splitlines()]
    found = [judge(case["text"]).crisis for case in cases]
    crises = [alarm for case, alarm in zip(cases, found, strict=True) if case["crisis"]]
    calm = [not alarm for case, alarm in zip(cases, found, strict=True) if not case["crisis"]]
    assert sum(crises) / len(crises) >= least
    assert sum(calm) / len(calm) >= calmest
