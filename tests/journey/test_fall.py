"""A fall in a made stream of keypoints, from the room's camera to the alert board; over a real hub, broker and node."""

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.tap import Tap
from tests.journey.fall import CameraRoom
from tests.journey.world import Site, until

from forge_edge.audio.voices import VOICES
from forge_edge.eyes import seen
from forge_edge.messages import Seen
from forge_edge.vision.keypoint_log import KeypointLog
from forge_edge.vision.masks import NONE
from forge_edge.vision.ports import Keypoints
from forge_hub.fleet.authority import Authority
from forge_shared.clock import SystemClock

ROOM = "room-1"
AFTER_FALL = 60
"""Looks of the stream, from the fall on, whose numbers are searched for."""


def patient(*wants: dict[str, Any]) -> dict[str, Any]:
    return {
        "voice": VOICES["rms"].voice.model_dump(),
        "wake_word": VOICES["rms"].wake_words[0],
        "noise": {"snr_db": 25.0, "seed": 1},
        "wants": list(wants),
    }


def open_room(site: Site, script: dict[str, Any]) -> CameraRoom:
    room = CameraRoom(site, ROOM, person="Gwen Ashdown")
    words = json.dumps([VOICES["rms"].wake_words[0].replace(" ", "_")])
    site.start_room(ROOM, script=script, speed=1, FORGE_EDGE_WAKE_WORDS=words, **room.settings)
    until("a room that hears", lambda: site.records("SELECT 1 FROM room WHERE node = ? AND hearing = 'ok'", ROOM))
    return room


def board(site: Site) -> str:
    with closing(site.sign_in("staff")) as staff:
        return staff.get("/").text


def tap_wire(site: Site) -> Tap:
    """Stand between the room, which is not enrolled yet, and the broker."""
    credentials = site.enrol(ROOM)
    keys = Authority(site.hub_folder / "authority", SystemClock())
    broker = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    broker.load_cert_chain(keys.server_certificate_file, keys.server_key_file)
    tap = Tap(site.broker_port, broker, keys.context_as(ROOM))
    credentials.write_text(json.dumps(json.loads(credentials.read_text()) | {"port": tap.port}))
    return tap


def fallen(room: CameraRoom) -> list[Keypoints]:
    """Return whom the stream shows from the fall on."""
    stream = KeypointLog(room.log)
    first = int(np.searchsorted(stream.times, room.fell_s))
    return [person for index in range(first, first + AFTER_FALL) for person in stream.at(index).people]


def message(person: Keypoints) -> Seen:
    """Return what the eyes tell the core of one person."""
    return seen(0.0, (person,), None, aspect=1.0, looked=True, masks=NONE)


def plants(person: Keypoints) -> Iterator[bytes]:
    """Yield what would betray a person: three of their points as text, as bytes, and as text of bytes."""
    numbers = message(person).people[0][:12]
    for separator in (",", ", "):
        yield separator.join(map(str, numbers)).encode()
    for width in (np.float16, np.float32, np.float64):
        raw = person[:3].astype(width).tobytes()
        yield from (raw, base64.b64encode(raw))


def found_outside(site: Site, wire: bytes, searched: list[bytes]) -> set[str]:
    """Return the places outside the eyes and the core, on the wire and on any disk, that hold one of the plants."""
    places = {"wire": wire}
    for path in site.folder.rglob("*"):
        if path.is_file() and ".keypoints." not in path.name:
            places[str(path.relative_to(site.folder))] = path.read_bytes()
    return {place for place, content in places.items() if any(plant in content for plant in searched)}


@pytest.mark.alone
def test_a_fall_is_one_alert_that_becomes_critical_and_no_keypoint_leaves_the_room(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        for role in ("admin", "staff"):
            site.make_account(role)
        tap = tap_wire(site)
        room = open_room(site, patient({"kind": "await", "hears": "you may have fallen"}))
        room.agree_to_camera()
        room.await_fall("suspected")
        (suspected,) = room.falls()
        assert (suspected["severity"], suspected["zone"]) == ("high", "floor")
        assert "Possible fall" in board(site)
        room.await_fall("confirmed")
        (confirmed,) = room.falls()
        assert (confirmed["severity"], confirmed["state"]) == ("critical", "open")
        assert confirmed["confirmed_by"] in {"silence", "time"}
        assert "Fell and has not got up" in board(site)
        assert room.stages() == ["suspected", "confirmed"]
        searched = [plant for person in fallen(room) for plant in plants(person)]
        site.stop_room(ROOM)
        site.stop_hub()
        assert found_outside(site, tap.passed, searched) == set()
        assert b"danger" in tap.passed, "the tap is on the wire"
        said = [message(person).model_dump_json().encode() for person in fallen(room)]
        assert all(any(plant in one for plant in searched) for one in said), (
            "what the eyes tell the core would be found"
        )
        tap.close()


@pytest.mark.alone
def test_i_am_fine_said_in_the_room_takes_the_fall_back_and_the_board_says_that_nobody_has_checked(
    tmp_path: Path,
) -> None:
    says = patient({"kind": "await", "hears": "are you all right"}, {"kind": "talk", "says": ["i am fine"]})
    with Site(tmp_path) as site:
        for role in ("admin", "staff"):
            site.make_account(role)
        room = open_room(site, says)
        room.agree_to_camera()
        room.await_fall("suspected")
        until("a fall that is taken back", lambda: room.stages() == ["suspected", "withdrawn"] or None)
        until("an alert that closes", lambda: [fall["state"] for fall in room.falls()] == ["closed"] or None)
        (fall,) = room.falls()
        assert fall["stage"] == "suspected", "it was never confirmed"
        page = board(site)
        assert "said that they are all right. Nobody has checked." in page
