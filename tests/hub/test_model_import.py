"""A model that others made becomes a release by one command: what it is, where it comes from, and what it must do."""

import io
import json
import random
import wave
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest
from tests.fakes.hugging_face import COMMIT, HubWorld, Repository, hugging_face

from forge_edge.speech import whisper_package
from forge_hub.__main__ import main
from forge_hub.errors import ReleaseError
from forge_hub.releases.kinds import choose
from forge_hub.releases.licences import SPDX, spdx
from forge_hub.releases.making import slug
from forge_hub.releases.package import read_release
from forge_shared.releases import Manifest

WEIGHTS = random.Random(7).randbytes(300_000)
WHISPER = {
    "model.bin": WEIGHTS,
    "config.json": b'{"suppress_ids": []}',
    "tokenizer.json": b"{}",
    "vocabulary.txt": b"a\nb\n",
    "README.md": b"---\nlicense: mit\n---\n# It writes down\n",
    "train.py": b"print('never taken')",
    "pytorch_model.pickle": b"never",
}
VOICE = {
    "README.md": b"# Voices\n",
    "en/en_GB/alba/medium/en_GB-alba-medium.onnx": WEIGHTS,
    "en/en_GB/alba/medium/en_GB-alba-medium.onnx.json": b'{"audio": {"sample_rate": 22050}}',
    "en/en_GB/alba/medium/MODEL_CARD": b"Dataset licence: CC BY 4.0",
    "de/de_DE/thorsten/low/de_DE-thorsten-low.onnx": b"another",
    "de/de_DE/thorsten/low/de_DE-thorsten-low.onnx.json": b"{}",
}
HEARD = {"text": {"text": "please open the window"}}


@pytest.fixture(autouse=True)
def _hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path / "hub"))
    monkeypatch.chdir(tmp_path)
    Path("heard.json").write_text(json.dumps(HEARD))
    Path("said.wav").write_bytes(sound(1.0))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubWorld]:
    with hugging_face() as made:
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        made.repositories["maker/whisper-small-en"] = Repository(dict(WHISPER))
        made.repositories["maker/voices"] = Repository(dict(VOICE))
        yield made


def sound(seconds: float) -> bytes:
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * int(16_000 * seconds)))
    return kept.getvalue()


def hub(*words: str) -> int:
    return main(["model", *words])


GOLDEN = ("--golden-input", "said.wav", "--golden-output", "heard.json")


def release(folder: str) -> Manifest:
    return read_release(Path(folder)).manifest


def test_a_transcriber_becomes_a_release_that_can_be_added(world: HubWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub("import-hub", "maker/whisper-small-en", *GOLDEN) == 0
    made = release("whisper-small-en-1.0.0")
    assert (made.role, made.format, made.licence, made.release_counter) == ("transcriber", "ctranslate2", "MIT", 1)
    assert made.provenance.source == f"hf:maker/whisper-small-en@{COMMIT}"
    assert {file.path for file in made.files} == {
        *("model.bin", "config.json", "tokenizer.json", "vocabulary.txt", "card.md", "source/README.md"),
        *("golden/input.wav", "golden/output.json"),
    }, "nothing else of the repository: no program, no pickle"
    assert world.address not in Path("whisper-small-en-1.0.0/manifest.json").read_text()
    assert COMMIT in Path("whisper-small-en-1.0.0/card.md").read_text()
    assert not list(Path("hub/imports").rglob("*.bin")), "what was fetched is not kept twice"
    assert "forge-hub model add" in capsys.readouterr().out


def test_the_next_import_of_the_same_model_is_the_next_release(world: HubWorld) -> None:
    assert hub("import-hub", "maker/whisper-small-en", *GOLDEN) == 0
    assert hub("add", "whisper-small-en-1.0.0") == 0
    world.repositories["maker/whisper-small-en"].files["config.json"] = b'{"suppress_ids": [1]}'
    assert hub("import-hub", "maker/whisper-small-en", "--revision", "v1", *GOLDEN) == 0
    assert release("whisper-small-en-1.1.0").release_counter == 2
    assert hub("add", "whisper-small-en-1.1.0") == 0


def test_of_several_voices_one_is_chosen_and_what_its_makers_say_comes_along(
    world: HubWorld, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hub("import-hub", "maker/voices") == 1
    assert "2 models are in there: choose one with --file" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    chosen = ("--file", "en/en_GB/alba")
    assert hub("import-hub", "maker/voices", *chosen) == 1
    assert "piper is not installed on this machine" in capsys.readouterr().err
    given = world.given
    piper = tmp_path / "piper"
    piper.write_text(f"#!/bin/sh\n[ \"$1 $3 $4\" = '-m -f -' ] && exec /bin/cat {tmp_path / 'said.wav'}\n")
    piper.chmod(0o755)
    assert hub("import-hub", "maker/voices", *chosen, "--data-licence", "CC-BY-4.0") == 0
    assert world.given == given, "what is there already is not fetched again"
    made = release("en-gb-alba-medium-1.0.0")
    assert (made.role, made.format, made.provenance.data_licences) == ("voice", "piper", ("CC-BY-4.0",))
    folder = Path("en-gb-alba-medium-1.0.0")
    assert json.loads((folder / made.golden.output).read_bytes()) == {"seconds": {"values": [1.0]}}
    assert (folder / made.golden.input).read_text().startswith("Please")
    assert {"source/MODEL_CARD", "source/README.md", "en_GB-alba-medium.onnx.json"} <= {f.path for f in made.files}


def test_a_line_that_keeps_breaking_is_gone_on_with_and_nothing_is_fetched_twice(
    world: HubWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 4096)  # its own would hold all of it
    world.hang_up_after = 24_576
    for _ in range(20):
        if hub("import-hub", "maker/whisper-small-en", *GOLDEN) == 0:
            break
        assert "goes on where it stopped" in capsys.readouterr().err
    assert release("whisper-small-en-1.0.0").role == "transcriber"
    size = sum(len(content) for name, content in WHISPER.items() if name not in ("train.py", "pytorch_model.pickle"))
    assert world.given <= 1.02 * size


def test_a_file_that_is_not_what_the_repository_says_is_not_taken(
    world: HubWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    of = world.repositories["maker/whisper-small-en"]
    for path in ("model.bin", "config.json"):
        of.lies = {path: bytes(len(of.files[path]))}
        assert hub("import-hub", "maker/whisper-small-en", *GOLDEN) == 1
        assert not Path("whisper-small-en-1.0.0").exists()
    assert "is not what the repository says" in capsys.readouterr().err
    of.lies = {}
    assert hub("import-hub", "maker/whisper-small-en", *GOLDEN) == 0


@pytest.mark.parametrize(
    ("repo", "change", "words"),
    [
        ("maker/nothing", {}, "there is no repository"),
        ("maker/whisper-small-en", {"refuses": (403, "GatedRepo")}, "agreed to its terms"),
        ("maker/whisper-small-en", {"licence": None}, "say --licence"),
        ("maker/whisper-small-en", {"licence": "openrail"}, "'openrail' is no licence of SPDX"),
        ("maker/whisper-small-en", {"files": {"model.pickle": b"x"}}, "no model that a room can run"),
        ("no-owner/with/three", {}, "OWNER/NAME"),
    ],
)
def test_what_cannot_be_imported_is_said_with_what_to_do(
    world: HubWorld, capsys: pytest.CaptureFixture[str], repo: str, change: dict[str, object], words: str
) -> None:
    for name, value in change.items():
        setattr(world.repositories[repo], name, value)
    assert hub("import-hub", repo, *GOLDEN) == 1
    assert words in capsys.readouterr().err
    assert world.given == 0


@pytest.mark.usefixtures("world")
def test_an_unknown_revision_and_a_server_that_is_away_are_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hub("import-hub", "maker/whisper-small-en", "--revision", "v9", *GOLDEN) == 1
    assert "no such revision" in capsys.readouterr().err
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert hub("import-hub", "maker/whisper-small-en", *GOLDEN) == 1
    assert "set HF_ENDPOINT" in capsys.readouterr().err


def test_a_folder_of_files_becomes_a_release_in_the_same_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "Tiny Model"
    model.mkdir()
    for name, content in WHISPER.items():
        (model / name).write_bytes(content)
    assert hub("import", str(model), *GOLDEN) == 1
    assert "licence is not stated" in capsys.readouterr().err
    assert hub("import", str(model), "--licence", "MIT", "--hardware", "x86", "--latency-ms", "900", *GOLDEN) == 0
    made = release("tiny-model-1.0.0")
    assert (made.provenance.source, made.hardware, made.limits.latency_ms) == ("folder Tiny Model", ("x86",), 900)
    assert hub("import", str(model), "--licence", "MIT", *GOLDEN) == 1
    assert "is there already" in capsys.readouterr().err
    (model / "model.bin").write_bytes(b"changed afterwards")
    assert release("tiny-model-1.0.0") == made, "it is a copy"
    assert hub("import", str(tmp_path / "nothing"), *GOLDEN) == 1


@pytest.mark.parametrize(
    ("files", "role", "words"),
    [
        ({"alexa.onnx": b"w"}, "wake-word", "--golden-input"),
        ({"chat.gguf": b"w"}, "language-model", "--golden-input"),
    ],
)
def test_of_what_cannot_be_run_here_the_golden_files_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: dict[str, bytes], role: str, words: str
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for name, content in files.items():
        (model / name).write_bytes(content)
    asked = ("import", str(model), "--role", role, "--licence", "Apache-2.0")
    assert hub(*asked) == 1
    assert words in capsys.readouterr().err
    Path("wrong.json").write_text('{"text": 1}')
    assert hub(*asked, "--golden-input", "said.wav", "--golden-output", "wrong.json") == 1
    assert hub(*asked, "--golden-input", "nothing.wav", "--golden-output", "heard.json") == 1
    assert not list(Path().glob(".*.making"))
    assert hub(*asked, *GOLDEN) == 0


def test_a_model_that_does_not_run_here_is_no_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("faster_whisper")
    model = tmp_path / "broken"
    model.mkdir()
    for name, content in WHISPER.items():
        (model / name).write_bytes(content)
    assert hub("import", str(model), "--licence", "MIT", "--golden-input", "said.wav") == 1
    assert "does not run here" in capsys.readouterr().err


@pytest.mark.skipif(
    not whisper_package.is_installed() or util.find_spec("faster_whisper") is None, reason="no weights of Whisper here"
)
@pytest.mark.timeout(240)
def test_whisper_itself_makes_its_golden_output(tmp_path: Path) -> None:
    files, state = whisper_package.packaged()
    assert state == "ready"
    assert files is not None
    model = tmp_path / "whisper-base"
    model.mkdir()
    for name, content in files.items():
        (model / name).write_bytes(content)
    assert hub("import", str(model), "--licence", "MIT") == 0
    made = release("whisper-base-1.0.0")
    heard = json.loads((tmp_path / "whisper-base-1.0.0" / made.golden.output).read_bytes())["text"]["text"]
    assert "open the window" in heard


def test_the_files_of_a_model_are_found_wherever_they_lie() -> None:
    nested = [f"small/{name}" for name in WHISPER] + ["large/model.bin", "large/config.json", "large/tokenizer.json"]
    assert choose(nested, None, "small", "x").files == {
        "model.bin": "small/model.bin",
        "config.json": "small/config.json",
        "tokenizer.json": "small/tokenizer.json",
        "vocabulary.txt": "small/vocabulary.txt",
    }
    assert choose(list(VOICE), None, "de", "x").stem == "de_DE-thorsten-low"
    with pytest.raises(ReleaseError, match="2 models"):
        choose(nested, None, None, "x")
    with pytest.raises(ReleaseError, match="--role wake-word"):
        choose(["alexa.onnx"], None, None, "x")
    assert slug("Größe_XL (v2)") == "gr-e-xl-v2"
    assert slug("…") == "model"


def test_a_licence_is_mapped_only_where_it_is_surely_the_same() -> None:
    assert (spdx("Apache-2.0"), spdx(" mit "), spdx("gpl-3.0")) == ("Apache-2.0", "MIT", "GPL-3.0-only")
    assert [spdx(name) for name in ("other", "unknown", "openrail", "cc", "")] == [None] * 5
    assert all(name == name.lower() for name in SPDX)
