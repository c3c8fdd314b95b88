"""How the hub wants a node to be: whose room it is, who may be heard, and who is asked before anything personal."""

import asyncio
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.test_conversation import Room

import forge_edge.ears
from forge_edge import desired
from forge_edge.audio.ports import Speech
from forge_edge.children import EarsChild
from forge_edge.dialogue.conversation import NOBODYS_ROOM, NOT_LISTENING, NOT_THE_PATIENT, WHO, Conversation, Speaker
from forge_edge.messages import Hearing, Instruction, Said, read_perception
from forge_edge.observations import FormObserved
from forge_edge.settings import NodeSettings
from forge_shared.wire import PURPOSES, TwinDesired

TWINS = st.builds(
    TwinDesired,
    revision=st.integers(0, 20),
    subject=st.sampled_from([None, "p-1", "p-2"]),
    shared=st.booleans(),
    visitors=st.booleans(),
    consents=st.none() | st.sets(st.sampled_from(PURPOSES)).map(tuple),
)


def twin(revision: int = 1, subject: str | None = "p-1", *consents: str, **state: bool) -> TwinDesired:
    return TwinDesired.model_validate({"revision": revision, "subject": subject, "consents": consents, **state})


@given(st.lists(TWINS, max_size=12))
def test_whatever_order_messages_come_in_the_newest_stands(told: list[TwinDesired]) -> None:
    held: TwinDesired | None = None
    for each in told:
        if desired.is_news(held, each):
            held = each
    assert (held.revision if held else None) == max((each.revision for each in told), default=None)


@given(TWINS)
def test_nothing_is_recorded_from_whom_nobody_may_listen_to_or_nobody_knows(told: TwinDesired) -> None:
    if desired.may_record(told):
        assert told.subject is not None
        assert not desired.is_deaf(told)
        assert "recorded-session" in (told.consents or ())


def test_a_room_without_stays_works_as_it_always_did() -> None:
    assert not desired.is_deaf(None)
    assert desired.may_record(None)
    assert desired.speaker(None) == "assumed"
    assert desired.capture(None, hearing="ok", sight="ok") is None


def test_the_same_person_with_other_consents_is_not_forgotten_and_another_one_is() -> None:
    assert not desired.ends_stay(twin(1, "p-1", "voice"), twin(2, "p-1"))
    assert desired.ends_stay(twin(1, "p-1"), twin(2, "p-2"))
    assert desired.ends_stay(twin(1, "p-1"), twin(2, None))
    assert desired.ends_stay(None, twin(1, "p-1")), "whoever was heard before the first stay is somebody else"


def test_what_is_reported_to_be_on_is_what_is_on_and_not_what_is_wanted() -> None:
    told = twin(2, "p-1", "camera")
    assert desired.capture(told, hearing="ok", sight="ok") == ("voice", "camera"), "the microphone is still open"
    assert desired.capture(told, hearing="closed", sight="ok") == ("camera",)
    assert desired.capture(told, hearing="closed", sight="closed") == (), "agreed to, and there is none"
    assert desired.capture(twin(3, "p-1"), hearing="closed", sight="lost") == ("camera",), "still open"


def test_what_a_node_was_told_survives_and_where_it_is_damaged_nobody_is_heard(tmp_path: Path) -> None:
    path = tmp_path / "desired.json"
    assert desired.load(path) is None
    told = twin(3, "p-1", "voice", visitors=True)
    desired.save(path, told)
    assert desired.load(path) == told
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{")
    damaged = desired.load(path)
    assert damaged is not None
    assert desired.is_deaf(damaged)
    assert desired.is_news(damaged, twin(1))


@pytest.mark.parametrize(
    ("told", "speaker"),
    [
        (twin(), "assumed"),
        (twin(1, "p-1", shared=True), "asked"),
        (twin(1, "p-1", visitors=True), "asked"),
        (twin(1, None), "unknown"),
    ],
)
def test_who_speaks_is_assumed_only_where_one_person_lives_alone(told: TwinDesired, speaker: Speaker) -> None:
    assert desired.speaker(told) == speaker


def room_of(speaker: Speaker) -> Room:
    room = Room()
    room.now = Conversation(speaker=speaker)
    return room


def test_where_others_may_speak_a_form_begins_only_after_the_patient_said_who_they_are() -> None:
    room = room_of("asked").wake().hear("fill in my form")
    assert room.said == WHO
    assert room.now.interview is None
    room.hear("yes")
    assert room.now.activity == "form"


@pytest.mark.parametrize("answer", ["no", "stop"])
def test_somebody_elses_no_ends_it_and_nothing_is_kept(answer: str) -> None:
    room = room_of("asked").wake().hear("fill in my form", answer)
    assert room.said == NOT_THE_PATIENT
    assert (room.now.activity, room.now.interview, room.observed) == ("idle", None, [])


def test_silence_and_mumbling_at_the_check_start_no_form() -> None:
    room = room_of("asked").wake().hear("fill in my form").nothing().nothing()
    assert (room.now.activity, room.now.interview) == ("idle", None)
    room = room_of("asked").wake().hear("fill in my form").hear("mumble", accepted=False)
    assert room.said == WHO
    room.hear("mumble", accepted=False)
    assert (room.now.activity, room.now.interview) == ("idle", None)


def test_a_call_for_a_nurse_is_heard_at_the_check_too() -> None:
    room = room_of("asked").wake().hear("fill in my form", "i need a nurse")
    assert len(room.observed) == 1
    assert room.now.activity == "idle"


def test_a_form_that_was_begun_is_not_mentioned_where_others_may_listen() -> None:
    room = Room().wake().hear("fill in my form", "several days", "yes")
    room.now = room.now.model_copy(update={"speaker": "asked", "activity": "idle"})
    for reaction in (room.dialogue.start(room.now), room.wake().last):
        assert "form" not in " ".join(reaction.instruction.say if reaction.instruction else ())
    room.hear("continue my form")
    assert room.said == WHO
    room.hear("yes")
    assert room.now.interview is not None
    assert len(room.now.interview.answers) == 1
    assert not any(isinstance(each, FormObserved) for each in room.observed)


def test_a_room_that_is_nobodys_begins_nothing_personal_but_takes_requests() -> None:
    room = room_of("unknown").wake().hear("fill in my form")
    assert (room.said, room.now.activity) == (NOBODYS_ROOM, "idle")
    room.wake().hear("water")
    assert len(room.observed) == 1


class Core:
    def __init__(self) -> None:
        self.said: asyncio.Queue[Said] = asyncio.Queue()
        self.gone = 0

    async def on_said(self, said: Said) -> None:
        await self.said.put(said)

    async def on_gone(self) -> None:
        self.gone += 1

    async def next(self) -> Said:
        async with asyncio.timeout(8):
            return await self.said.get()


async def test_ears_that_may_not_hear_are_ended_and_come_back_as_a_mouth(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text('{"turns": []}')
    ears = Path(__file__).parents[1] / "fakes" / "scripted_ears.py"
    core = Core()
    child = EarsChild(
        [sys.executable, str(ears), str(script)], tmp_path / "core.sock", on_said=core.on_said, on_gone=core.on_gone
    )
    task = asyncio.create_task(child.run())
    try:
        assert await core.next() == Hearing(state="ok", reason="started")
        assert await child.deafen(deaf=True), "nothing that held a microphone is left"
        assert await core.next() == Hearing(state="closed", reason="consent-withdrawn")
        assert await child.deafen(deaf=False)
        assert await core.next() == Hearing(state="ok", reason="started")
        assert core.gone == 0, "what was told to end is no trouble"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_ears_without_consent_open_no_microphone_and_still_speak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    class Loudspeaker:
        def __init__(self, _: str | None) -> None: ...

        def play(self, speech: Speech) -> None:
            loop.call_soon_threadsafe(played.put_nowait, speech.text)

        def close(self) -> None: ...

    def refuse(_: str | None) -> None:
        raise AssertionError("the microphone was opened")

    monkeypatch.setattr(forge_edge.ears, "SpeakerSink", Loudspeaker)
    monkeypatch.setattr(forge_edge.ears, "MicrophoneSource", refuse)
    connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = loop.create_future()
    server = await asyncio.start_unix_server(lambda *pair: connected.set_result(pair), tmp_path / "core.sock")
    settings = NodeSettings(state_dir=tmp_path)
    ears = asyncio.create_task(asyncio.to_thread(forge_edge.ears.run, settings, tmp_path / "core.sock", deaf=True))
    async with asyncio.timeout(8):
        reader, writer = await connected
        heard = read_perception(await reader.readline())
        assert heard == Hearing(state="closed", reason="consent-withdrawn")
        writer.write(Instruction(turn=1, say=(NOT_LISTENING,)).model_dump_json().encode() + b"\n")
        assert await played.get() == NOT_LISTENING
        writer.close()
        await ears
    server.close()


def test_a_camera_of_a_site_stays_closed_until_the_hub_has_told_who_agreed() -> None:
    assert not desired.may_watch(None, of_site=True)
    assert desired.may_watch(None, of_site=False)
    assert not desired.may_watch(twin(1, "p-1", "voice"), of_site=True)
    assert desired.may_watch(twin(1, "p-1", "voice", "camera"), of_site=True)


def test_a_room_without_stays_that_is_told_of_releases_opens_no_camera_by_that() -> None:
    told = TwinDesired(revision=3, subject=None, stays=False, releases=2)
    assert not desired.may_watch(told, of_site=True)
    assert not desired.is_deaf(told)
    assert desired.speaker(told) == desired.speaker(None)
    empty = TwinDesired(revision=3, subject=None)
    assert desired.may_watch(empty, of_site=True), "where stays are kept, a room that nobody is in may be watched"
