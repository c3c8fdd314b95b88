from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr  # type: ignore[import-untyped]  # it carries no types

from forge_edge.audio.ports import Samples
from forge_edge.errors import EngineMissingError
from forge_edge.recordings import hear_files, transcribe_files, wake_files
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.speech.pocketsphinx import PocketsphinxTranscriber
from forge_edge.speech.twofold import TwofoldTranscriber
from forge_shared.errors import FormUnknownError
from forge_shared.forms.questionnaire import installed

ITEM = installed()["phq-9"].questions[0].link_id


@pytest.fixture(scope="module")
def engine() -> PocketsphinxTranscriber:
    return PocketsphinxTranscriber()


def recorded(path: Path, samples: Samples, rate: int = 16_000) -> Path:
    soundfile.write(path, samples, rate)
    return path


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * 16_000), np.int16)


def said(words: str) -> Samples:
    return FliteSynthesiser("rms").synthesise(words).samples


def test_each_detection_is_one_line_with_its_time(tmp_path: Path) -> None:
    sound = np.concatenate((silence(2.0), said("Alexa"), silence(4.0), said("Alexa")))
    path = recorded(tmp_path / "twice.flac", sound)
    first, second = wake_files([path], ("alexa",))
    assert first["file"] == str(path)
    assert first["word"] == "alexa"
    assert 2.0 < first["at_s"] < 3.5 < second["at_s"]
    assert 0.5 <= first["score"] <= 1.0
    assert set(first) == {"file", "word", "at_s", "score"}


def test_a_word_at_the_very_end_of_a_file_is_heard(tmp_path: Path) -> None:
    path = recorded(tmp_path / "end.wav", np.concatenate((silence(1.0), said("Alexa"))))
    assert [line["word"] for line in wake_files([path], ("alexa",))] == ["alexa"]


def test_files_do_not_leak_into_each_other(tmp_path: Path) -> None:
    word = np.concatenate((silence(1.0), said("Alexa")))
    half = len(word) - len(said("Alexa")) // 2
    paths = [recorded(tmp_path / "a.wav", word[:half]), recorded(tmp_path / "b.wav", word[half:])]
    assert list(wake_files(paths, ("alexa",))) == []
    again = [recorded(tmp_path / "c.wav", word), recorded(tmp_path / "d.wav", word)]
    assert len(list(wake_files(again, ("alexa",)))) == 2


def test_a_file_that_cannot_be_decoded_is_one_line_and_the_next_is_heard(
    tmp_path: Path, engine: PocketsphinxTranscriber
) -> None:
    broken = tmp_path / "broken.flac"
    broken.write_bytes(b"fLaC nothing")
    missing = tmp_path / "missing.wav"
    good = recorded(tmp_path / "good.wav", np.concatenate((silence(1.0), said("Alexa"))))
    for lines in (
        list(wake_files([broken, missing, good], ("alexa",))),
        list(transcribe_files([broken, missing, good], None, None, engine)),
    ):
        assert [set(line) for line in lines[:2]] == [{"file", "error"}] * 2
        assert "error" not in lines[2]


def test_an_unknown_wake_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineMissingError, match="alexa"):
        list(wake_files([tmp_path / "a.wav"], ("abracadabra",)))


@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_an_answer_is_given_in_the_forms_own_words(tmp_path: Path, engine: PocketsphinxTranscriber, rate: int) -> None:
    sound = np.concatenate((silence(1.5), said("more than half of the days"), silence(2.0)))
    stereo = np.repeat(soxr.resample(sound, 16_000, rate)[:, None], 2, axis=1)
    (line,) = transcribe_files([recorded(tmp_path / "answer.wav", stereo, rate)], "phq-9", ITEM, engine)
    assert set(line) == {"file", "text", "accepted", "confidence", "engine"}
    assert line["text"] == "more than half the days"
    assert line["engine"] == "pocketsphinx"
    assert 0 <= line["confidence"] <= 1


def test_an_answer_is_heard_as_the_room_would_hear_it(tmp_path: Path) -> None:
    paths = [
        recorded(tmp_path / "answer.wav", np.concatenate((silence(1.0), said("most of the days"), silence(1.0)))),
        recorded(tmp_path / "silence.wav", silence(2.0)),
        recorded(tmp_path / "command.wav", np.concatenate((silence(1.0), said("repeat the question"), silence(1.0)))),
        tmp_path / "missing.wav",
    ]
    answer, nothing, command, missing = hear_files(paths, "phq-9", None, TwofoldTranscriber())
    assert set(answer) == {"file", "heard", "code", "accepted", "confidence", "engines", "reason"}
    assert (answer["code"], answer["accepted"], answer["reason"]) == ("LA6570-1", True, "agreed")
    assert len(answer["engines"]) == 2
    assert (nothing["code"], nothing["accepted"], nothing["reason"]) == (None, False, "no-speech")
    assert (command["code"], command["accepted"], command["reason"]) == (None, False, "no-answer")
    assert set(missing) == {"file", "error"}
    with pytest.raises(FormUnknownError, match="phq-9"):
        list(hear_files(paths, "phq-99", None, TwofoldTranscriber()))


def test_silence_and_other_talk_are_not_accepted(tmp_path: Path, engine: PocketsphinxTranscriber) -> None:
    paths = [
        recorded(tmp_path / "silence.wav", silence(3.0)),
        recorded(tmp_path / "talk.wav", EspeakSynthesiser("en-us").synthesise("where did you put my coat").samples),
    ]
    assert [line["accepted"] for line in transcribe_files(paths, "phq-9", ITEM, engine)] == [False, False]


def test_an_unknown_form_or_question_is_refused_with_those_that_exist(engine: PocketsphinxTranscriber) -> None:
    with pytest.raises(FormUnknownError, match="phq-9"):
        list(transcribe_files([], "phq-99", ITEM, engine))
    with pytest.raises(FormUnknownError, match=ITEM):
        list(transcribe_files([], "phq-9", "1", engine))
