"""The drawing page's server, imported only while somebody draws."""

import asyncio
import socket
import time
from pathlib import Path
from typing import Final

from forge_edge.drawing.door import DrawingDoor
from forge_edge.drawing.page import create_application
from forge_edge.drawing.stills import Stills
from forge_edge.loopback.server import GRACE_SECONDS, QuietServer

MOST_CONNECTIONS: Final = 16
"""A browser keeps six."""
CHECK_SECONDS: Final = 0.25


async def serve(folder: Path, stills: Stills, door: DrawingDoor, listener: socket.socket) -> None:
    """Serve the drawing page until nobody draws any more.

    Args:
        folder: The node's state folder.
        stills: Gives pictures.
        door: Who may draw, and for how long.
        listener: Of loopback.
    """
    server = QuietServer(create_application(folder, stills, door), MOST_CONNECTIONS)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="drawing-server")
    while not serving.done() and not door.is_over(time.monotonic()):
        await asyncio.wait({serving}, timeout=CHECK_SECONDS)
    server.should_exit = True
    await asyncio.wait({serving}, timeout=GRACE_SECONDS + 1)
    serving.cancel()
