"""A room with a simulated camera, whose keypoints are a made stream: somebody falls there, and its cable is pulled."""

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.fakes.days.scene import write_fall_scene
from tests.journey.stays import admit, make_beds
from tests.journey.world import Site, until

from forge_edge.judgement import ZONES_FILE

SEES = "SELECT 1 FROM room WHERE node = ? AND sight = 'ok'"
BLIND = "SELECT state FROM alert WHERE node = ? AND kind = 'sense-lost' AND detail LIKE '%\"sight\"%'"
FALLS = "SELECT severity, state, detail FROM alert WHERE node = ? AND kind = 'danger'"
STAGES = "SELECT envelope FROM event_log WHERE node = ? AND type LIKE '%danger.seen%' ORDER BY position"


class CameraRoom:
    """A room of a site: its bed, the person in it, their consents, and the file that is its camera's cable.

    Args:
        site: The site; its admin and staff have their accounts.
        name: The node's.
        person: Who is admitted, with consent to voice only.

    Attributes:
        log: The stream; the camera is there as long as this file is.
        fell_s: When somebody falls in it, seconds from its beginning.
    """

    def __init__(self, site: Site, name: str, *, person: str) -> None:
        self.site, self.name = site, name
        self.log = site.folder / f"{name}.keypoints.npz"
        folder = site.room_folder(name)
        folder.mkdir(exist_ok=True)
        self.fell_s = write_fall_scene(self.log, folder / ZONES_FILE)
        (bed,) = make_beds(site, name)
        with closing(site.sign_in("staff")) as staff:
            self._stay, _ = admit(staff, bed, "voice", name=person)

    @property
    def settings(self) -> dict[str, str]:
        """What the node is started with."""
        return {"FORGE_EDGE_CAMERA": "simulated", "FORGE_EDGE_CAMERA_SCRIPT": str(self.log)}

    def agree_to_camera(self) -> None:
        """As staff: state the person's consent. The room's eyes open then, and the stream begins."""
        with closing(self.site.sign_in("staff")) as staff:
            self.site.post(staff, f"/stays/{self._stay}", f"/stays/{self._stay}/consents/camera/give")
        until("a room that sees", lambda: self.site.records(SEES, self.name))

    def falls(self) -> list[dict[str, Any]]:
        """Return the alerts of falls, with what is known of each."""
        rows = self.site.records(FALLS, self.name)
        return [{**json.loads(detail), "severity": severity, "state": state} for severity, state, detail in rows]

    def stages(self) -> list[str]:
        """Return the stages that the room told of what its camera saw, in order."""
        return [json.loads(envelope)["data"]["stage"] for (envelope,) in self.site.records(STAGES, self.name)]

    def await_fall(self, stage: str) -> None:
        """Wait until a fall has come to a stage."""
        until(f"a fall that is {stage}", lambda: any(fall["stage"] == stage for fall in self.falls()) or None)

    def pull(self) -> Path:
        """Pull the cable; return its end, once the hub knows that the room cannot see."""
        end = self.log.rename(self.log.with_suffix(".pulled"))
        until("a room that cannot see", lambda: self._blind() - {"closed"})
        return end

    def plug_in(self, end: Path) -> float:
        """Put the cable back; return the seconds until the alert has closed by itself and the room sees."""
        end.rename(self.log)
        plugged = time.monotonic()
        until("an alert that closes by itself", lambda: self._blind() == {"closed"} or None)
        until("a room that sees again", lambda: self.site.records(SEES, self.name))
        return time.monotonic() - plugged

    def _blind(self) -> set[str]:
        return {state for (state,) in self.site.records(BLIND, self.name)}
