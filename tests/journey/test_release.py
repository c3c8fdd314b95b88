"""A model's way into a room, over a real hub, broker and node: fetched by HTTPS, proved, served, taken back."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.cameras import recording
from tests.fakes.pose_release import write_pose_release
from tests.fakes.releases import Site as Releases
from tests.journey.stays import admit, make_beds
from tests.journey.world import Site, until

from forge_hub.releases.catalogue import Wish
from forge_shared.clock import SystemClock

ROOM = "room-1"
TAKEN_BACK_SECONDS = 10.0


def told(site: Site) -> list[tuple[str, str | None]]:
    rows = site.records("SELECT envelope FROM event_log WHERE type LIKE '%release.changed%' ORDER BY position")
    said = [json.loads(envelope)["data"] for (envelope,) in rows]
    return [(each["outcome"], each.get("reason")) for each in said]


def shown(site: Site) -> str:
    command = [sys.executable, "-m", "forge_edge", "updates", "show"]
    environment = {**os.environ, "FORGE_EDGE_STATE_DIR": str(site.room_folder(ROOM))}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.alone
def test_a_release_that_people_approved_serves_in_its_room_and_goes_within_ten_seconds_of_a_fault(
    tmp_path: Path,
) -> None:
    dark = np.zeros((48, 64, 3), np.uint8)
    video = recording(tmp_path / "room.avi", [dark] * 1200)
    with Site(tmp_path, hub_environment={"FORGE_HUB_TLS": "own"}) as site:
        releases = Releases.begun(site.hub_folder / "releases", SystemClock())
        target = releases.publish(write_pose_release(tmp_path / "release"))
        releases.catalogue.direct(ROOM, [Wish(target, "manual")])
        for role in ("admin", "staff"):
            site.make_account(role)
        (bed,) = make_beds(site, ROOM)
        with closing(site.sign_in("staff")) as staff:
            admit(staff, bed, "voice", "camera")
        site.start_scripted_room(ROOM, {"turns": []}, FORGE_EDGE_CAMERA=str(video))
        until("a release on trial", lambda: told(site) == [("on-trial", None)] or None, seconds=90)
        eyes = until("eyes that look with it", lambda: site.child_pid(ROOM, "eyes.sock"))
        assert target in shown(site)
        assert "trusted root" in shown(site)
        os.kill(eyes, signal.SIGKILL)
        began = time.monotonic()
        until("what served before", lambda: told(site)[-1:] == [("rolled-back", "inference-failed")] or None)
        assert time.monotonic() - began < TAKEN_BACK_SECONDS
        assert site.room_is_alive(ROOM)
