import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from forge_edge.errors import EngineError, EngineMissingError
from forge_edge.speech import program
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.speech.piper import PiperSynthesiser


def executable(path: Path, source: str) -> str:
    path.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    path = tmp_path / "en_GB-test.onnx"
    path.write_bytes(b"weights")
    path.with_name("en_GB-test.onnx.json").write_text("{}")
    return path


def seconds(synthesiser: EspeakSynthesiser | FliteSynthesiser, text: str) -> float:
    return len(synthesiser.synthesise(text).samples) / 16_000


@pytest.mark.parametrize("synthesiser", [EspeakSynthesiser, FliteSynthesiser])
def test_slower_speech_takes_longer(synthesiser: type[EspeakSynthesiser | FliteSynthesiser]) -> None:
    text = "can i have some water please"
    assert seconds(synthesiser(words_per_minute=100), text) > 1.2 * seconds(synthesiser(words_per_minute=200), text)


@pytest.mark.parametrize(("marked", "plain"), [
    ("[[h@l'oU]] water", "h@l'oU water"),
    ("<say-as>water</say-as>", "say-as water /say-as"),
    ("water\x01\x1b\n\nplease", "water please"),
])  # fmt: skip
def test_markup_is_read_as_words_and_never_acted_on(marked: str, plain: str) -> None:
    engine = EspeakSynthesiser()
    assert np.array_equal(engine.synthesise(marked).samples, engine.synthesise(plain).samples)


def test_a_text_that_looks_like_an_option_is_only_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for engine in (EspeakSynthesiser(), FliteSynthesiser()):
        assert len(engine.synthesise("-w stolen.wav --version water").samples) > 16_000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("voice_name", ["../../etc/passwd", "-h", "en gb", "", "en;ls"])
def test_a_voice_that_is_no_name_is_refused(voice_name: str) -> None:
    with pytest.raises(EngineError):
        EspeakSynthesiser(voice_name)
    with pytest.raises(EngineError):
        FliteSynthesiser(voice_name)


def test_a_voice_that_espeak_does_not_have_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="status"):
        EspeakSynthesiser("xx-nobody").synthesise("water")


def test_piper_is_spoken_to_with_its_own_command_line(tmp_path: Path, voice: Path) -> None:
    command = executable(
        tmp_path / "piper",
        """import argparse, struct, sys
parser = argparse.ArgumentParser()
parser.add_argument("-m", "--model", required=True)
parser.add_argument("-f", "--output-file")
given = parser.parse_args()
assert open(given.model, "rb").read() == b"weights" and given.output_file == "-"
count = 22050 * len(sys.stdin.read().split())
data = struct.pack("<h", 1000) * count
sys.stdout.buffer.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
    struct.pack("<IHHIIHH", 16, 1, 1, 22050, 44100, 2, 16) + b"data" + struct.pack("<I", len(data)) + data)
""",
    )
    speech = PiperSynthesiser(voice, command=command).synthesise("three words here")
    assert len(speech.samples) == pytest.approx(48_000, abs=10)


def test_piper_without_program_or_voice_says_how_to_get_it(tmp_path: Path, voice: Path) -> None:
    with pytest.raises(EngineMissingError, match="piper-tts"):
        PiperSynthesiser(voice, command=str(tmp_path / "nothing")).synthesise("water")
    with pytest.raises(EngineMissingError, match=r"other\.onnx: the hub"):
        PiperSynthesiser(tmp_path / "other.onnx").synthesise("water")
    voice.with_name("en_GB-test.onnx.json").unlink()
    with pytest.raises(EngineMissingError, match=r"\.onnx\.json"):
        PiperSynthesiser(voice).synthesise("water")


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    command = executable(
        tmp_path / "hang",
        """import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "60"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(60)
""",
    )
    note = tmp_path / "child"
    started = time.monotonic()
    with pytest.raises(EngineError, match="within 1 s"):
        program.run((command, str(note)), "water", install="", limit_seconds=1)
    assert time.monotonic() - started < 3
    state = Path(f"/proc/{note.read_text()}/stat")
    deadline = time.monotonic() + 5  # a signal is delivered when the process is next scheduled
    while state.exists() and state.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_that_fails_is_not_quoted(tmp_path: Path) -> None:
    command = executable(tmp_path / "fail", "import sys\nprint(sys.stdin.read(), file=sys.stderr)\nsys.exit(3)\n")
    with pytest.raises(EngineError) as caught:
        program.run((command,), "a secret", install="")
    assert str(caught.value) == "fail ended with status 3"


def test_a_program_that_writes_no_sound_is_an_engine_error() -> None:
    with pytest.raises(EngineError, match="wrote no sound"):
        program.decode(b"no sound at all", "piper")
