"""A room in Home Assistant: what it shows when something happens, and what it lets itself be asked for."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.bedroom import Bedroom

from forge_edge.anonymiser import AnonymousEvent
from forge_edge.dialogue.sentences import IDENTIFIED, PRIVACY_OFF, PRIVACY_ON
from forge_edge.home.device import HomeDevice
from forge_edge.home.privacy import LONGEST
from forge_edge.messages import Sight
from forge_edge.outbox.home_line import HomeLine
from forge_edge.screen.light import Night
from forge_edge.screen.taps import Mute
from forge_shared import home
from forge_shared.events import Envelope
from forge_shared.ids import new_id
from forge_shared.wire import StartSession, TwinDesired

DEVICE = HomeDevice("site", "node", "1")
NO_NIGHT = Night(0, 0)


class Line(HomeLine):
    """Keeps what is shown, as a broker does."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[str, bytes] = {}
        self.passed: list[tuple[str, bytes]] = []

    def show(self, messages: Any) -> None:
        self.shown |= messages

    def pass_on(self, topic: str, payload: bytes) -> None:
        self.passed.append((topic, payload))


class Housed(Bedroom):
    """A bedroom that Home Assistant shows."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.line = Line()
        self.room.at_home.connect(self.line, DEVICE)

    @property
    def state(self) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.line.shown[home.state("node")])
        return shown

    async def opens_eyes(self) -> None:
        await self.eyes.on_said(Sight(state="ok", reason="started"))
        await self.pass_time(0)

    async def asked(self, name: str, value: str = "PRESS", **more: Any) -> None:
        payload = json.dumps({"value": value, "at": self.clock.now().isoformat()}).encode()
        await self.room.at_home.on_message(home.command("node", name), payload, more.get("retained", False))

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.room.look_after(self.clock.monotonic_seconds())

    @property
    def said(self) -> list[str]:
        return [sentence for instruction in self.ears.instructions for sentence in instruction.say]


@pytest.fixture
def housed(tmp_path: Path) -> Iterator[Housed]:
    made = Housed(tmp_path)
    yield made
    made.outboxes.close()


async def test_where_nobody_looks_nobody_knows_whether_all_is_well(housed: Housed) -> None:
    assert (housed.state["safety"], housed.state["occupancy"], housed.state["motion"]) == (None, None, None)
    await housed.opens_eyes()
    assert housed.state["safety"] == "OFF"
    await housed.eyes.on_said(Sight(state="lost", reason="source-silent"))
    await housed.pass_time(0)
    assert housed.state["safety"] is None
    assert housed.state["problem_attributes"] == {"problems": ["sight-lost"]}


async def test_who_left_with_their_stay_is_not_shown_as_being_there_in_the_next(housed: Housed) -> None:
    await housed.opens_eyes()
    await housed.somebody_falls()
    await housed.pass_time(0)
    assert housed.state["occupancy"] == "ON"
    housed.room.at_home.forget()
    await housed.pass_time(0)
    assert housed.state["occupancy"] is None, "until the camera has shown the room anew"


async def test_a_fall_turns_safety_on_and_its_end_turns_it_off(housed: Housed) -> None:
    await housed.opens_eyes()
    await housed.somebody_falls()
    await housed.pass_time(0)
    assert (housed.state["safety"], housed.state["occupancy"]) == ("ON", "ON")
    await housed.hear("i am fine")
    await housed.pass_time(0)
    assert housed.state["safety"] == "OFF"


async def test_that_it_was_seen_at_the_room_is_shown_and_is_no_answer_to_the_alert(housed: Housed) -> None:
    await housed.opens_eyes()
    await housed.somebody_falls()
    told = housed.outboxes.state().pending
    await housed.asked("acknowledge")
    assert housed.state["safety_attributes"] == {"seen_at_room": True}
    assert housed.state["safety"] == "ON", "the danger goes on"
    assert housed.outboxes.state().pending == told, "the hub is told nothing that could pass for an answer"
    assert not any("coming" in sentence for sentence in housed.said)


async def test_privacy_closes_eyes_and_ears_says_so_and_tells_the_hub(housed: Housed) -> None:
    await housed.opens_eyes()
    told = housed.outboxes.state().pending
    await housed.asked("privacy", "ON")
    assert (housed.ears.muted, housed.eyes.closed) == (True, True)
    assert housed.said == [PRIVACY_ON]
    assert housed.outboxes.state().pending == told + 1, "the hub knows that the room's sight is closed"
    assert (housed.state["privacy"], housed.state["safety"]) == ("ON", None)
    await housed.asked("privacy", "OFF")
    assert (housed.ears.muted, housed.eyes.closed) == (False, False)
    assert housed.said == [PRIVACY_ON, PRIVACY_OFF]
    assert housed.state["privacy"] == "OFF"


async def test_privacy_ends_by_itself(housed: Housed) -> None:
    await housed.asked("privacy", "ON")
    await housed.pass_time(LONGEST.total_seconds() - 1)
    assert housed.eyes.closed
    await housed.pass_time(2)
    assert (housed.ears.muted, housed.eyes.closed) == (False, False)


async def test_privacy_holds_while_the_eyes_take_their_time_to_close(housed: Housed) -> None:
    may_close = asyncio.Event()

    async def close(*, closed: bool) -> bool:
        await may_close.wait()
        housed.eyes.closed = closed
        return True

    housed.eyes.close = close  # type: ignore[method-assign]
    asked = asyncio.create_task(housed.asked("privacy", "ON"))
    await asyncio.sleep(0.1)
    passing = asyncio.create_task(housed.pass_time(0.5))
    await asyncio.sleep(0.1)
    may_close.set()
    await asyncio.gather(asked, passing)
    assert (housed.ears.muted, housed.eyes.closed, housed.state["privacy"]) == (True, True, "ON")


async def test_privacy_outlives_a_restart(housed: Housed, tmp_path: Path) -> None:
    await housed.asked("privacy", "ON")
    housed.outboxes.close()
    again = Housed(tmp_path)
    await again.room.prepare()
    await again.pass_time(60)
    assert (again.ears.muted, again.eyes.closed, again.state["privacy"]) == (True, True, "ON")
    await again.pass_time(LONGEST.total_seconds())
    assert (again.ears.muted, again.eyes.closed, again.state["privacy"]) == (False, False, "OFF")
    again.outboxes.close()


async def hangs(**_: object) -> bool:
    await asyncio.sleep(3600)
    return True


@pytest.mark.parametrize("stops_at", ["ears", "eyes"])
@pytest.mark.parametrize("wish", ["ON", "OFF"])
async def test_a_room_that_stops_while_privacy_closes_or_opens_it_is_not_muted_for_good(
    housed: Housed, tmp_path: Path, wish: str, stops_at: str
) -> None:
    if wish == "OFF":
        await housed.asked("privacy", "ON")
    if stops_at == "ears":
        housed.ears.mute = hangs  # type: ignore[method-assign]
    else:
        housed.eyes.close = hangs  # type: ignore[method-assign]
    asked = asyncio.create_task(housed.asked("privacy", wish))
    await asyncio.sleep(0.2)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    housed.outboxes.close()
    again = Housed(tmp_path)
    await again.room.prepare()
    await again.pass_time(LONGEST.total_seconds() + 1)
    assert (again.ears.muted, again.eyes.closed, again.state["privacy"]) == (False, False, "OFF")
    again.outboxes.close()


async def test_what_the_patient_muted_home_assistant_does_not_open(housed: Housed) -> None:
    await housed.room.shown(NO_NIGHT).tapped(Mute(muted=True))
    await housed.asked("privacy", "ON")
    await housed.asked("privacy", "OFF")
    assert housed.ears.muted
    await housed.asked("privacy", "OFF")
    assert housed.ears.muted, "what was never closed by it is not opened by it"


async def test_the_patient_ends_privacy_at_the_screen(housed: Housed) -> None:
    await housed.asked("privacy", "ON")
    await housed.room.shown(NO_NIGHT).tapped(Mute(muted=False))
    await housed.pass_time(1)
    assert (housed.ears.muted, housed.eyes.closed, housed.state["privacy"]) == (False, False, "OFF")


async def test_privacy_opens_nothing_that_is_not_consented_to(housed: Housed) -> None:
    await housed.asked("privacy", "ON")
    await housed.room.on_desired(TwinDesired(revision=1, subject="p-000000000001", consents=("voice",)))
    await housed.pass_time(1)
    await housed.asked("privacy", "OFF")
    assert housed.eyes.closed
    await housed.room.on_desired(TwinDesired(revision=2, subject="p-000000000001", consents=("voice", "camera")))
    assert not housed.eyes.closed


async def test_a_connection_that_breaks_while_consent_is_withdrawn_leaves_nothing_open(housed: Housed) -> None:
    await housed.room.on_desired(TwinDesired(revision=1, subject="p-000000000001", consents=("voice", "camera")))
    close, closing = housed.eyes.close, asyncio.Event()

    async def slow(*, closed: bool) -> bool:
        closing.set()
        await asyncio.sleep(0.05)
        return await close(closed=closed)

    housed.eyes.close = slow  # type: ignore[method-assign]
    withdrawn = TwinDesired(revision=2, subject="p-000000000001", consents=())
    told = asyncio.create_task(housed.room.on_desired(withdrawn))
    await closing.wait()
    told.cancel()
    await asyncio.gather(told, return_exceptions=True)
    await asyncio.sleep(0.2)
    assert housed.eyes.closed
    assert housed.ears.deaf


async def test_a_connection_that_breaks_while_a_session_is_started_leaves_it_no_half_session(housed: Housed) -> None:
    append, storing = housed.outboxes.append, threading.Event()

    def slow(event: AnonymousEvent) -> Envelope:
        storing.set()
        time.sleep(0.05)
        return append(event)

    housed.outboxes.append = slow  # type: ignore[method-assign]
    start = StartSession(session=new_id(), consent=new_id(), limit_minutes=30, expires_at=housed.clock.now())
    ordered = asyncio.create_task(housed.room.on_command(start))
    await asyncio.to_thread(storing.wait)
    ordered.cancel()
    await asyncio.gather(ordered, return_exceptions=True)
    await asyncio.sleep(0.3)
    assert housed.room.shown(NO_NIGHT).shown().recorded
    await housed.pass_time(30 * 60 + 1)
    assert not housed.room.shown(NO_NIGHT).shown().recorded, "it ends when it has to"


async def test_consent_that_comes_during_privacy_opens_nothing_before_its_end(housed: Housed) -> None:
    await housed.room.on_desired(TwinDesired(revision=1, subject="p-000000000001", consents=("voice",)))
    await housed.asked("privacy", "ON")
    await housed.room.on_desired(TwinDesired(revision=2, subject="p-000000000001", consents=("voice", "camera")))
    assert housed.eyes.closed
    await housed.asked("privacy", "OFF")
    assert not housed.eyes.closed


async def test_nobody_makes_a_room_blind_while_somebody_lies_on_its_floor(housed: Housed) -> None:
    await housed.opens_eyes()
    await housed.somebody_falls()
    await housed.asked("privacy", "ON")
    assert (housed.ears.muted, housed.eyes.closed, housed.state["privacy"]) == (False, False, "OFF")


async def test_the_next_patient_inherits_no_danger_and_the_hub_is_told_of_no_end(housed: Housed) -> None:
    await housed.room.on_desired(TwinDesired(revision=1, subject="p-000000000001", consents=("voice", "camera")))
    await housed.opens_eyes()
    await housed.somebody_falls()
    await housed.pass_time(0)
    assert (housed.state["safety"], housed.room.updates.needed("pose")) == ("ON", "alarm")
    told = housed.outboxes.state().pending
    await housed.room.on_desired(TwinDesired(revision=2, subject="p-000000000002", consents=("voice", "camera")))
    await housed.pass_time(0)
    assert housed.outboxes.state().pending == told, "staff still answer what they were told"
    assert housed.state["safety"] == "OFF"
    assert not housed.room._danger.is_suspected  # noqa: SLF001 (an alarm on its way holds back updates too)
    await housed.asked("privacy", "ON")
    assert housed.state["privacy"] == "ON"


async def test_a_danger_ends_with_the_consent_to_look_once_who_was_asked_has_answered(housed: Housed) -> None:
    await housed.room.on_desired(TwinDesired(revision=1, subject="p-000000000001", consents=("voice", "camera")))
    await housed.opens_eyes()
    await housed.somebody_falls()
    await housed.room.on_desired(TwinDesired(revision=2, subject="p-000000000001", consents=("voice",)))
    await housed.pass_time(0)
    assert housed.state["safety"] == "ON", "who fell is still asked how they are"
    told = housed.outboxes.state().pending
    await housed.hear("no")
    assert housed.outboxes.state().pending == told + 1, "the answer still confirms it"
    await housed.pass_time(0)
    assert housed.outboxes.state().pending == told + 1
    assert housed.state["safety"] is None
    await housed.asked("privacy", "ON")
    assert housed.state["privacy"] == "ON"


@pytest.mark.parametrize("value", ["ON"])
async def test_what_is_late_or_was_kept_by_the_broker_closes_nothing(housed: Housed, value: str) -> None:
    await housed.asked("privacy", value, retained=True)
    payload = json.dumps({"value": value, "at": housed.clock.now().isoformat()}).encode()
    housed.clock.advance(60)
    await housed.room.at_home.on_message(home.command("node", "privacy"), payload, False)
    assert not housed.eyes.closed


async def test_the_room_shows_which_one_it_is_but_not_over_and_over(housed: Housed) -> None:
    for _ in range(5):
        await housed.asked("identify")
    assert housed.said == [IDENTIFIED]
    assert housed.room.shown(NO_NIGHT).shown().note == IDENTIFIED


async def test_a_text_is_on_the_screen_as_a_message_and_is_not_told_back(housed: Housed) -> None:
    await housed.asked("display", "Help is coming")
    assert housed.room.shown(NO_NIGHT).shown().note == "Message: Help is coming"
    assert housed.said == [], "what Home Assistant writes is never said by the room"
    assert not any(b"Help is coming" in payload for payload in housed.line.shown.values())
    await housed.asked("display", "")
    assert housed.room.shown(NO_NIGHT).shown().note == ""


async def test_the_profile_quiets_the_room_and_darkens_its_screen_until_the_stay_ends(housed: Housed) -> None:
    screen = housed.room.shown(NO_NIGHT)
    await housed.room.on_desired(TwinDesired(revision=1, subject="p-000000000001", consents=None))
    await housed.asked("profile", "night")
    assert (housed.state["profile"], screen.shown().light) == ("night", "night")
    await housed.asked("profile", "quiet")
    assert (housed.state["profile"], screen.shown().light) == ("quiet", "day")
    await housed.room.on_desired(TwinDesired(revision=2, subject="p-000000000002", consents=None))
    await housed.pass_time(0)
    assert housed.state["profile"] == "standard"


async def test_home_assistant_that_has_started_is_shown_everything_again_after_a_moment(housed: Housed) -> None:
    shown_again = 0

    def again() -> None:
        nonlocal shown_again
        shown_again += 1

    housed.line.again = again  # type: ignore[method-assign]
    await housed.room.at_home.on_message(home.BIRTH, b"offline", False)
    await housed.room.at_home.on_message(home.BIRTH, b"online", False)
    assert shown_again == 0
    await housed.pass_time(home.BIRTH_JITTER_SECONDS + 0.1)
    assert shown_again == 1
    await housed.pass_time(60)
    assert shown_again == 1


async def test_a_wish_goes_to_home_assistant_as_a_code(housed: Housed) -> None:
    housed.room.at_home.wish("light-on")
    assert housed.line.passed == [(DEVICE.wish_topic, b"light-on")]
