"""Eyes whose wall is taken away: they leak each picture wherever they can. It proves that the search would find it.

``leaky_eyes.py --socket PATH``
"""

import base64
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
from tests.fakes.cameras import Finder

from forge_edge import eyes
from forge_edge.core_link import CoreLink
from forge_edge.messages import OpenDrawing
from forge_edge.settings import NodeSettings
from forge_edge.vision.ports import Keypoints, Picture
from forge_shared import logs
from forge_shared.logs import get_logger

SETTINGS = NodeSettings()


class Leaks(Finder):
    """Puts what it reads into the log, the state folder, the temporary folder, and the socket."""

    link: CoreLink[OpenDrawing]

    def read(self, picture: Picture) -> list[Keypoints]:
        encoded = base64.b64encode(picture.tobytes()).decode()
        get_logger().warning("picture.read", seen=encoded)
        (SETTINGS.folder / "picture.raw").write_bytes(picture.tobytes())
        cv2.imwrite(str(Path(tempfile.gettempdir()) / "picture.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        self.link._socket.sendall(encoded.encode() + b"\n")  # noqa: SLF001 (a leak asks for no permission)
        return super().read(picture)


def no_wall() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class Tapped(CoreLink[OpenDrawing]):
    """Lets the leak have the socket."""

    def __init__(self, path: Path, read: Callable[[bytes], OpenDrawing]) -> None:
        super().__init__(path, read)
        Leaks.link = self


if __name__ == "__main__":
    logs.configure("forge-edge eyes")
    eyes.wall_in = no_wall
    eyes.CoreLink = Tapped  # type: ignore[attr-defined,assignment]  # as above
    eyes.run(SETTINGS, Path(sys.argv[sys.argv.index("--socket") + 1]), reader=lambda _: Leaks())
