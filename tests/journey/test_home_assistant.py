"""A real Home Assistant on a site with the demo's rooms, over the site's own broker with its certificates and rules."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiomqtt
import numpy as np
import pytest
from tests.fakes import home_assistant, releases
from tests.fakes.cameras import recording
from tests.fakes.home_assistant import HomeAssistant
from tests.fakes.pose_release import write_pose_release
from tests.journey import stays
from tests.journey.demo import FORM_ROOM, PATIENT, WATER_ROOM, talker
from tests.journey.fall import CameraRoom
from tests.journey.world import Site, until

from forge_edge.audio.voices import VOICES
from forge_hub.broker.users import HOME_USER
from forge_hub.fleet.authority import Authority
from forge_shared import topics
from forge_shared.clock import SystemClock
from forge_shared.enrolment import Credentials
from forge_shared.releases import MANIFEST
from forge_shared.wire import PROTOCOL, RoomRelease, Status, TwinReported

ENTITIES = {
    "binary_sensor": {"safety", "occupancy", "motion", "connectivity", "problem"},
    "switch": {"privacy"},
    "button": {"identify", "acknowledge"},
    "select": {"profile"},
    "text": {"display"},
    "event": {"wish"},
}
EVERY = {f"{platform}.{{room}}_{name}" for platform, names in ENTITIES.items() for name in names}

Building = tuple[Site, HomeAssistant, CameraRoom]
"""A site, a Home Assistant that is connected to its broker, and the room in which somebody falls."""

pytestmark = pytest.mark.timeout(600)
"""With the start of a Home Assistant on a machine that does other things, too."""


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    """Start both, side by side."""
    program, folder = home_assistant.program(), tmp_path_factory.mktemp("building")
    with (
        HomeAssistant(program, folder / "home-assistant") as there,
        Site(folder, hub_environment={"FORGE_HUB_TLS": "own"}) as site,
    ):
        for role in ("admin", "staff"):
            site.make_account(role)
        credentials = Credentials.model_validate_json(site.enrol(HOME_USER).read_bytes())
        # A ward of one bed, before there are others.
        camera_room = CameraRoom(site, FORM_ROOM, person=PATIENT)
        there.ready()
        there.add_broker(credentials)
        yield site, there, camera_room


def named(room: str) -> str:
    return room.replace("-", "_")


def known(there: HomeAssistant, room: str) -> bool | None:
    states = there.entities(f".{named(room)}_")
    wanted = {each.format(room=named(room)) for each in EVERY} - {f"event.{named(room)}_wish"}
    return (wanted <= states.keys() and "unavailable" not in states.values()) or None


@pytest.fixture(scope="module")
def published(building: Building) -> releases.Site:
    """The site's releases, whose people have their keys."""
    return releases.Site.begun(building[0].hub_folder / "releases", SystemClock())


class ReportingRoom:
    """A room that says of its releases what a test lets it say, over the site's broker with its own certificate."""

    def __init__(self, site: Site, name: str) -> None:
        site.enrol(name)
        self.name = name
        self._port = site.broker_port
        self._context = Authority(site.hub_folder / "authority", SystemClock()).context_as(name)

    def says(self, **release: Any) -> None:
        twin = TwinReported(
            hearing="ok",
            sight="ok",
            activity="idle",
            session_on=False,
            pending_events=0,
            version="9.9",
            at=datetime.now(UTC),
            hardware="x86",
            releases=(RoomRelease(role="voice", **release),),
        )
        status = Status(state="online", version="9.9", protocol=PROTOCOL)
        asyncio.run(self._publish(status.model_dump_json().encode(), twin.model_dump_json().encode()))

    async def _publish(self, status: bytes, twin: bytes) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port, identifier=self.name, tls_context=self._context) as client:
            await client.publish(topics.status("ward-7", self.name), status, qos=1, retain=True)
            await client.publish(topics.twin_reported("ward-7", self.name), twin, qos=1, retain=True)


@pytest.mark.alone
def test_installing_in_home_assistant_starts_a_roll_out_and_its_progress_moves(
    building: Building, published: releases.Site
) -> None:
    site, there, _ = building
    room, entity = ReportingRoom(site, "room-3"), "update.room_3_voice_model"
    release = releases.write_release(site.folder / "voice", name="calm-voice")
    manifest = json.loads((release / MANIFEST).read_text())
    (release / MANIFEST).write_text(json.dumps({**manifest, "role": "voice"}))
    target = published.publish(release)
    room.says()
    until("a release that is offered", lambda: there.state(entity) == "on" or None, seconds=45)
    assert there.attributes(entity)["latest_version"] == "1.0.0"

    there.call("update.install", entity)
    until("progress", lambda: there.attributes(entity)["in_progress"], seconds=45)
    assert site.records("SELECT target, started_by FROM rollout") == [(target, "home-assistant")]
    for percentage in (10, 60):
        room.says(state="fetching", next=target, percentage=percentage)
        until("progress", lambda: there.attributes(entity)["update_percentage"] == percentage or None, seconds=45)  # noqa: B023 (waited for here)
    room.says(serving=target)
    until("the release", lambda: there.state(entity) == "off" or None, seconds=45)
    assert there.attributes(entity)["installed_version"] == "1.0.0"
    assert not there.attributes(entity)["in_progress"]


@pytest.mark.alone
def test_a_real_room_takes_the_model_that_home_assistant_asked_for(
    building: Building, published: releases.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, there, _ = building
    room, entity = "room-4", "update.room_4_pose_model"
    published.publish(write_pose_release(site.folder / "pose"))
    video = recording(site.folder / "room.avi", [np.zeros((48, 64, 3), np.uint8)] * 1200)
    monkeypatch.setattr(stays, "RECORD_NUMBER", "4711-0816")
    with closing(site.sign_in("admin")) as admin:
        site.post(admin, "/beds", "/wards", name="Ward 8")
        site.post(admin, "/beds", "/beds", ward="ward-8", name="Bed 8", node=room)
    ((bed,),) = site.records("SELECT id FROM bed WHERE node = ?", room)
    with closing(site.sign_in("staff")) as staff:
        stays.admit(staff, bed, "voice", "camera", name="Ann Lee")
    site.start_scripted_room(room, {"turns": []}, FORGE_EDGE_CAMERA=str(video))
    until("a release that is offered", lambda: there.state(entity) == "on" or None, seconds=180)
    there.call("update.install", entity)
    until("progress", lambda: there.attributes(entity)["in_progress"], seconds=45)
    until("the release in use", lambda: there.attributes(entity)["installed_version"] == "1.0.0" or None, seconds=180)
    site.stop_room(room)
    until("a room that was stopped", lambda: there.state(entity) == "unavailable" or None, seconds=45)


@pytest.mark.alone
def test_a_real_home_assistant_shows_the_rooms_a_fall_and_their_death(
    building: Building,
) -> None:
    site, there, room = building
    script = {**talker(), "wants": [{"kind": "await", "hears": "you may have fallen"}]}
    words = json.dumps([VOICES["rms"].wake_words[0].replace(" ", "_")])
    site.start_room(WATER_ROOM, script=script, speed=1, FORGE_EDGE_WAKE_WORDS=words)
    site.start_room(FORM_ROOM, script=script, speed=1, FORGE_EDGE_WAKE_WORDS=words, **room.settings)

    for name in (WATER_ROOM, FORM_ROOM):
        until(f"{name} in Home Assistant", partial(known, there, name))
    safety = f"binary_sensor.{named(FORM_ROOM)}_safety"
    assert there.state(safety) == "unknown", "nobody looks before there is a consent"
    assert PATIENT.split()[0] not in json.dumps(there.entities("")), "Home Assistant knows rooms and no people"

    room.agree_to_camera()
    until("a room that is safe", lambda: there.state(safety) == "off" or None)
    room.await_fall("suspected")
    until("a room that is not safe", lambda: there.state(safety) == "on" or None, seconds=45)
    there.call("button.press", f"button.{named(FORM_ROOM)}_acknowledge")
    until("that it was seen", lambda: there.attributes(safety).get("seen_at_room"), seconds=45)
    assert [fall["state"] for fall in room.falls()] == ["open"], "it is for the staff to take the alert"

    privacy = f"switch.{named(WATER_ROOM)}_privacy"
    there.call("switch.turn_on", privacy)
    until("privacy", lambda: there.state(privacy) == "on" or None, seconds=45)
    until(
        "a hub that knows that the room is closed",
        lambda: site.records("SELECT 1 FROM room WHERE node = ? AND hearing = 'closed'", WATER_ROOM) or None,
        seconds=45,
    )

    site.kill_room(WATER_ROOM)
    until("a room that is gone", lambda: there.state(privacy) == "unavailable" or None, seconds=45)
    assert set(there.entities(f".{named(WATER_ROOM)}_").values()) == {"unavailable"}
    assert there.state(safety) == "on", "the other is still there"
    site.kill_hub()
    until("a hub that is gone", lambda: there.state(safety) == "unavailable" or None, seconds=45)
    assert set(there.entities(f".{named(FORM_ROOM)}_").values()) == {"unavailable"}
