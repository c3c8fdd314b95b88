import threading
import time
from pathlib import Path

import numpy as np
import pytest

from forge_edge.audio.noise import QUIET_DBFS, SPEECH_DBFS, at_level, room_noise
from forge_edge.audio.outcome import Outcome
from forge_edge.audio.patient import WAKE_REPEATS, PatientScript
from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples, Speech
from forge_edge.audio.simulated import SimulatedRoom
from forge_edge.audio.voices import VOICES
from forge_edge.wake.cascade import CascadeWakeWords

CHUNK_SECONDS = CHUNK_SAMPLES / SAMPLE_RATE_HZ
WATER: dict[str, object] = {"kind": "request", "says": "can i have some water"}


def script(*wants: dict[str, object], snr_db: float | None = None, seed: int = 0) -> PatientScript:
    return PatientScript.model_validate({"wants": wants, "noise": {"snr_db": snr_db, "seed": seed}})


def said(text: str, seconds: float = 1.0) -> Speech:
    return Speech(text, np.zeros(int(seconds * SAMPLE_RATE_HZ), np.int16))


def serve(room: SimulatedRoom, answer: str = "I am telling the staff.") -> Samples:
    """Play a room that hears perfectly: a tone half a second after the wake word, an answer after each request."""
    chunks = []
    answered = 0
    while (chunk := room.source.read()) is not None:
        chunks.append(chunk.samples)
        outcome = room.outcome
        if len(outcome.said) > answered and chunk.at_seconds - outcome.said[-1].last_word_at_seconds > 0.5:
            answered = len(outcome.said)
            if outcome.said[-1].meaning == "wake":
                room.sink.tone()
            elif outcome.said[-1].meaning == "request":
                room.sink.play(said(answer))
        assert len(chunks) < 6_000
    return np.concatenate(chunks)


def dbfs(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)) / 32_768))


def test_a_patient_wakes_the_room_asks_and_is_done() -> None:
    room = SimulatedRoom(script(WATER), speed=None)
    serve(room)
    assert [one.meaning for one in room.outcome.said] == ["wake", "request"]
    assert (room.outcome.done, room.outcome.gave_up, room.outcome.re_prompts) == (True, False, 0)


@pytest.mark.parametrize("snr_db", [None, 10.0])
def test_the_same_seed_gives_the_same_sound_and_another_seed_another(snr_db: float | None) -> None:
    first, second, other = (
        serve(SimulatedRoom(script(WATER, WATER, snr_db=snr_db, seed=seed), speed=None)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first[: len(other)], other[: len(first)])


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
def test_noise_has_the_asked_level_below_the_speech(snr_db: float) -> None:
    room = SimulatedRoom(script(WATER, snr_db=snr_db), speed=None)
    sound = serve(room)
    before_the_wake_word = sound[: int(1.9 * SAMPLE_RATE_HZ)]
    assert dbfs(before_the_wake_word) == pytest.approx(SPEECH_DBFS - snr_db, abs=0.7)


def test_a_quiet_room_has_a_floor_and_speech_has_its_level() -> None:
    room = SimulatedRoom(script(WATER), speed=None)
    sound = serve(room)
    assert dbfs(sound[:SAMPLE_RATE_HZ]) == pytest.approx(QUIET_DBFS, abs=1)
    assert np.any(sound[:SAMPLE_RATE_HZ])
    end = int(room.outcome.said[0].last_word_at_seconds * SAMPLE_RATE_HZ)
    assert dbfs(sound[end - 8_000 : end]) == pytest.approx(SPEECH_DBFS, abs=4)


def test_the_last_word_is_where_the_sound_ends() -> None:
    room = SimulatedRoom(script(WATER), speed=None)
    sound = serve(room)
    for one in room.outcome.said:
        end = int(one.last_word_at_seconds * SAMPLE_RATE_HZ)
        assert dbfs(sound[end : end + 1_600]) < QUIET_DBFS + 5
        assert dbfs(sound[end - 3_200 : end]) > QUIET_DBFS + 15


def test_noise_repeats_without_a_seam() -> None:
    noise = at_level(room_noise(1), SPEECH_DBFS)
    steps = np.abs(np.diff(np.concatenate([noise, noise[:1]])))
    assert steps[-1] <= steps[:-1].max()


def test_a_patient_replies_three_to_eight_tenths_of_a_second_after_the_room() -> None:
    room = SimulatedRoom(script(WATER, seed=5), speed=None)
    sound = serve(room)
    toned_at = room.outcome.said[0].last_word_at_seconds + 0.5
    loud = np.abs(sound[int((toned_at + 0.1) * SAMPLE_RATE_HZ) :]) > 300
    assert 0.2 < 0.1 + int(np.argmax(loud)) / SAMPLE_RATE_HZ < 1.0


def test_sentences_in_a_row_are_heard_as_one_turn() -> None:
    room = SimulatedRoom(script(WATER), speed=None)
    while len(room.outcome.said) < 1:
        room.source.read()
    room.sink.tone()
    while len(room.outcome.said) < 2:
        room.source.read()
    room.sink.play(said("Sorry, I did not understand."))
    room.sink.play(said("You can say: water, nurse, pain, help, or: I want to fill in my form."))
    while len(room.outcome.said) < 3:
        room.source.read()
    assert room.outcome.said[2].text == "can i have some water"
    assert (room.outcome.done, room.outcome.re_prompts) == (False, 1)


def test_a_patient_who_is_not_understood_says_it_more_slowly() -> None:
    room = SimulatedRoom(script(WATER), speed=None)
    sound = serve(room, answer="Sorry, I did not understand. You can say: water.")
    spoken = [one for one in room.outcome.said if one.meaning == "request"]
    lengths = []
    for one in spoken[:3]:
        end = int(one.last_word_at_seconds * SAMPLE_RATE_HZ)
        silent = np.abs(sound[end - 3 * SAMPLE_RATE_HZ : end].reshape(-1, 1_600)).max(axis=1) < 100
        lengths.append(len(silent) - int(np.flatnonzero(silent)[-1]))
    assert lengths[0] < lengths[1] < lengths[2]
    assert room.outcome.gave_up


def test_sentences_of_a_session_follow_each_other_without_the_wake_word() -> None:
    room = SimulatedRoom(script({"kind": "talk", "says": ["i slept badly", "nothing helps"]}), speed=None)
    serve(room)
    assert [one.text for one in room.outcome.said] == ["i slept badly", "nothing helps"]
    first, second = (one.last_word_at_seconds for one in room.outcome.said)
    assert second - first > 1.5


def test_what_a_patient_waits_for_may_be_said_before_they_begin_to_wait() -> None:
    talk: dict[str, object] = {"kind": "talk", "says": ["i slept badly"]}
    room = SimulatedRoom(script({"kind": "await", "hears": "the session is on"}, talk), speed=None)
    room.source.read()
    room.sink.play(said("The session is on."))
    for _ in range(400):
        room.source.read()
    assert [one.text for one in room.outcome.said] == ["i slept badly"]


def test_what_a_patient_waits_for_may_be_said_together_with_the_answer_to_something_else() -> None:
    talk: dict[str, object] = {"kind": "talk", "says": ["i slept badly"]}
    room = SimulatedRoom(script(WATER, {"kind": "await", "hears": "the session is on"}, talk), speed=None)
    serve(room, "I am telling the staff. The session is on.")
    assert [one.text for one in room.outcome.said][2:] == ["i slept badly"]


def test_speech_that_was_stopped_is_not_heard() -> None:
    room = SimulatedRoom(script(WATER), speed=1.0)
    threading.Timer(0.1, room.sink.stop).start()
    room.sink.play(said("Thank you.", 5))
    assert room._heard == []  # noqa: SLF001 (what a patient did not hear shows nowhere else)


@pytest.mark.parametrize(("speed", "wall_seconds"), [(1.0, 2.0), (4.0, 0.5)])
def test_a_room_with_a_speed_keeps_it(speed: float, wall_seconds: float) -> None:
    room = SimulatedRoom(script(WATER), speed=speed)
    started = time.monotonic()
    for _ in range(int(2 / CHUNK_SECONDS)):
        room.source.read()
    assert time.monotonic() - started == pytest.approx(wall_seconds, abs=0.25)


def test_silence_at_full_speed_is_paced_and_does_not_spin() -> None:
    room = SimulatedRoom(script({"kind": "wait", "seconds": 20}), speed=None)
    wall, cpu = time.monotonic(), time.thread_time()
    while room.source.read() is not None:
        pass
    assert time.monotonic() - wall > 0.5
    assert time.thread_time() - cpu < 0.5


def test_the_room_lingers_in_silence_and_then_ends() -> None:
    ends = []
    for linger_seconds in (0.0, 5.0):
        room = SimulatedRoom(script(), speed=None, linger_seconds=linger_seconds)
        ends.append(len(serve(room)) / SAMPLE_RATE_HZ)
    assert ends == pytest.approx([3, 8], abs=0.1)


def test_closing_wakes_a_reader_and_a_speaker() -> None:
    room = SimulatedRoom(script(WATER), speed=1.0)
    threading.Timer(0.2, room.source.close).start()
    started = time.monotonic()
    room.sink.play(said("a long story", 30))
    assert room.source.read() is None
    assert time.monotonic() - started < 1


def test_the_outcome_can_be_read_by_another_process(tmp_path: Path) -> None:
    file = tmp_path / "outcome.json"
    room = SimulatedRoom(script(WATER), speed=None, outcome_file=file)
    room.source.read()
    assert not Outcome.model_validate_json(file.read_bytes()).said
    serve(room)
    outcome = Outcome.model_validate_json(file.read_bytes())
    assert outcome == room.outcome
    assert outcome.done
    assert outcome.last_word_of("request") == outcome.said[1].last_word_at
    assert [entry.name for entry in tmp_path.iterdir()] == ["outcome.json"]


@pytest.mark.alone
def test_a_patient_whom_the_room_ignores_calls_again_and_then_gives_up() -> None:
    room = SimulatedRoom(script(WATER), speed=None)
    while room.source.read() is not None:
        pass
    assert [one.meaning for one in room.outcome.said] == ["wake"] * (1 + WAKE_REPEATS)
    assert (room.outcome.done, room.outcome.gave_up) == (False, True)
    gaps = np.diff([one.last_word_at_seconds for one in room.outcome.said])
    assert gaps.min() > 20


@pytest.mark.parametrize("snr_db", [None, 20.0, 10.0])
@pytest.mark.parametrize("name", VOICES)
def test_every_voice_wakes_the_room_with_its_first_word(name: str, snr_db: float | None) -> None:
    voice = VOICES[name]
    patient = PatientScript.model_validate(
        {
            "voice": voice.voice,
            "wake_word": voice.wake_words[0],
            "wants": [WATER],
            "noise": {"snr_db": snr_db, "seed": 11},
        }
    )
    room = SimulatedRoom(patient, speed=None)
    detector = CascadeWakeWords((voice.wake_words[0].replace(" ", "_"),))
    detected_at = None
    while detected_at is None:
        chunk = room.source.read()
        assert chunk is not None
        assert chunk.at_seconds < 5, "the wake word was not heard"
        detected_at = chunk.at_seconds if detector.feed(chunk.samples) else None
    assert detected_at > 2.0
