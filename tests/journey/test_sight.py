"""A room's camera, from the plug to the pages: pulled, killed, forbidden; over a real hub, broker and node."""

import json
import os
import signal
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.cameras import keypoint_log
from tests.journey.stays import admit, make_beds
from tests.journey.world import Site, until

ROOM = "room-1"
KNOWN_SECONDS = 10.0
WITHDRAWAL_SECONDS = 2.0
LOST = "SELECT detail FROM alert WHERE kind = 'sense-lost' AND state != 'closed'"


def sight(site: Site) -> str | None:
    rows = site.records("SELECT sight FROM room WHERE node = ?", ROOM)
    return str(rows[0][0]) if rows else None


def eyes_pid(site: Site) -> int | None:
    return site.child_pid(ROOM, "eyes.sock")


def changes(site: Site) -> list[tuple[str, str]]:
    rows = site.records("SELECT envelope FROM event_log WHERE type LIKE '%sense.changed%' ORDER BY position")
    said = [json.loads(envelope)["data"] for (envelope,) in rows]
    return [(each["state"], each["reason"]) for each in said if each["sense"] == "sight"]


@pytest.mark.alone
def test_a_camera_that_is_pulled_is_an_alert_within_ten_seconds_and_its_withdrawal_ends_the_eyes(
    tmp_path: Path, record_property: Any
) -> None:
    plug = keypoint_log(tmp_path / "day.npz", [number / 5 for number in range(5 * 1800)])
    figures: dict[str, float] = {}

    def timed(what: str, began: float, limit: float) -> None:
        figures[what] = round(time.monotonic() - began, 2)
        assert figures[what] < limit, what

    with Site(tmp_path) as site:
        for role in ("admin", "staff"):
            site.make_account(role)
        (bed,) = make_beds(site, ROOM)
        with closing(site.sign_in("staff")) as staff:
            stay, _ = admit(staff, bed, "voice", "camera")
            camera = {"FORGE_EDGE_CAMERA": "simulated", "FORGE_EDGE_CAMERA_SCRIPT": str(plug)}
            site.start_scripted_room(ROOM, {"turns": []}, **camera)
            until("a room that sees", lambda: sight(site) == "ok" or None)

            away = plug.rename(tmp_path / "pulled.npz")
            pulled = time.monotonic()
            until("an alert", lambda: site.records(LOST))
            timed("pulled_alert_s", pulled, KNOWN_SECONDS)
            assert json.loads(site.records(LOST)[0][0])["sense"] == "sight"
            until("a room that says so", lambda: sight(site) == "lost" or None)
            away.rename(plug)
            plugged = time.monotonic()
            until("a room that sees again", lambda: sight(site) == "ok" or None)
            timed("plugged_seen_s", plugged, KNOWN_SECONDS)

            eyes = eyes_pid(site)
            assert eyes is not None
            os.kill(eyes, signal.SIGKILL)
            killed = time.monotonic()
            until("other eyes", lambda: (eyes_pid(site) not in {None, eyes} and sight(site) == "ok") or None)
            timed("killed_seen_s", killed, KNOWN_SECONDS)

            withdrawn = time.monotonic()
            site.post(staff, f"/stays/{stay}", f"/stays/{stay}/consents/camera/withdraw")
            until("closed eyes", lambda: eyes_pid(site) is None, every=0.005)
            timed("withdrawn_closed_s", withdrawn, WITHDRAWAL_SECONDS)
            until("a room that says so", lambda: sight(site) == "closed" or None)
            ((capture,),) = site.records("SELECT capture FROM room WHERE node = ?", ROOM)
            assert capture.split() == ["voice"]
            time.sleep(2)
            assert eyes_pid(site) is None, "they are not started again"

            site.post(staff, f"/stays/{stay}", f"/stays/{stay}/consents/camera/give")
            until("a room that sees once more", lambda: sight(site) == "ok" or None)
            until("an empty outbox", lambda: site.pending(ROOM) == 0 or None)
            lost_and_found = [
                ("lost", "source-failed"),
                ("ok", "recovered"),
                ("lost", "process-died"),
                ("ok", "recovered"),
            ]
            closed_and_open = [("closed", "consent-withdrawn"), ("ok", "started")]
            assert changes(site) == [("ok", "started"), *lost_and_found, *closed_and_open]
    print(json.dumps(figures))  # noqa: T201 (the figures of this run)
    record_property("sight", figures)
