import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forge_edge.errors import EngineError, EngineMissingError
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.speech.piper import PiperSynthesiser
from forge_edge.speech.ports import Synthesiser

PIPER_BY_ESPEAK = f"""#!{sys.executable}
import argparse, subprocess, sys
parser = argparse.ArgumentParser()
parser.add_argument("-m", "--model", required=True)
parser.add_argument("-f", "--output-file", required=True)
parser.parse_args()
sys.exit(subprocess.run(["espeak-ng", "--stdin", "--stdout"]).returncode)
"""


def piper(folder: Path) -> Synthesiser:
    program, voice = folder / "piper", folder / "voice.onnx"
    program.write_text(PIPER_BY_ESPEAK, encoding="utf-8")
    program.chmod(0o755)
    voice.touch()
    voice.with_name("voice.onnx.json").touch()
    return PiperSynthesiser(voice, command=str(program))


@pytest.fixture(
    params=[lambda _: EspeakSynthesiser(), lambda _: FliteSynthesiser(), piper], ids=["espeak", "flite", "piper"]
)
def synthesiser(request: pytest.FixtureRequest, tmp_path: Path) -> Synthesiser:
    make: Callable[[Path], Synthesiser] = request.param
    return make(tmp_path)


def test_speech_is_16_khz_mono_and_keeps_its_text(synthesiser: Synthesiser) -> None:
    speech = synthesiser.synthesise("Can I have some water?")
    assert speech.text == "Can I have some water?"
    assert speech.samples.dtype == np.int16
    assert speech.samples.ndim == 1
    assert 0.8 < len(speech.samples) / 16_000 < 4
    assert np.abs(speech.samples).max() > 1_000


def test_the_same_text_sounds_the_same(synthesiser: Synthesiser) -> None:
    first, second = (synthesiser.synthesise("water").samples for _ in range(2))
    assert np.array_equal(first, second)


def test_a_longer_text_takes_longer(synthesiser: Synthesiser) -> None:
    short, long = (synthesiser.synthesise(text).samples for text in ("water", "water, water, and more water"))
    assert len(long) > 1.5 * len(short)


@pytest.mark.parametrize("text", ["", " ", "...", "<>", "\n"])
def test_a_text_without_words_is_silence(synthesiser: Synthesiser, text: str) -> None:
    assert len(synthesiser.synthesise(text).samples) == 0


def test_a_thousand_characters_are_spoken_and_one_more_is_refused(synthesiser: Synthesiser) -> None:
    assert len(synthesiser.synthesise("water now " * 100).samples) > 16_000 * 20
    with pytest.raises(EngineError) as caught:
        synthesiser.synthesise("x" * 1001)
    assert "xx" not in str(caught.value)


@pytest.mark.parametrize("text", ["-v fr", "--help", "[[h@]]", "<speak>hi</speak>", "$(ls) `ls` ; ls", "naïve café €5"])
def test_no_text_is_a_command(synthesiser: Synthesiser, text: str) -> None:
    assert len(synthesiser.synthesise(text).samples) > 0


def test_a_missing_program_says_how_to_install_it(
    synthesiser: Synthesiser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "piper").unlink(missing_ok=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissingError, match="install"):
        synthesiser.synthesise("water")
