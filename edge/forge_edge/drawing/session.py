"""Serves the drawing page from the eyes' process, in a thread of its own, for as long as somebody draws."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from forge_edge.drawing.door import DrawingDoor
from forge_edge.drawing.stills import Stills
from forge_edge.loopback.listener import listening
from forge_edge.messages import DrawingPage, OpenDrawing
from forge_shared.logs import get_logger

CLOSE_SECONDS: Final = 3.0
"""How long a page that is closed is waited for; its server gives what is under way one."""

log = get_logger()


class DrawingSession:
    """At most one open page. What fails here is said and never ends the eyes.

    Args:
        folder: The node's state folder.
        stills: Gives pictures.
        report: Tells the core where the page is, or that there is none any more; called from any thread.
    """

    def __init__(self, folder: Path, stills: Stills, report: Callable[[DrawingPage], None]) -> None:
        self._folder = folder
        self._stills = stills
        self._report = report
        self._thread: threading.Thread | None = None
        self._door: DrawingDoor | None = None

    def open(self, order: OpenDrawing) -> None:
        """Open the page for one who will come with this token; whoever drew before draws no more."""
        self.close()
        try:
            listener = listening()
        except OSError as error:
            log.warning("drawing.unavailable", reason=error.strerror)
            self._report(DrawingPage(port=None))
            return
        port: int = listener.getsockname()[1]
        door = self._door = DrawingDoor(order.token, port, order.screen_port, time.monotonic())
        self._thread = threading.Thread(target=self._serve, args=(door, listener), name="drawing", daemon=True)
        log.info("drawing.opened")
        self._report(DrawingPage(port=port))  # who comes before it serves waits in the listener's queue
        self._thread.start()

    def close(self) -> None:
        """Close the page, if there is one; returns when its port is free."""
        door, self._door = self._door, None
        thread, self._thread = self._thread, None
        if door is not None:
            door.leave()
        if thread is not None:
            thread.join(CLOSE_SECONDS)

    def _serve(self, door: DrawingDoor, listener: socket.socket) -> None:
        try:
            from forge_edge.drawing.server import serve  # noqa: PLC0415 (9 MB for some minutes in a year)

            with listener:
                asyncio.run(serve(self._folder, self._stills, door, listener))
        except Exception:  # a fault of the page must not end the eyes: they watch somebody
            log.exception("drawing.failed")
        log.info("drawing.closed")
        if door is self._door:  # else there is another page already, or somebody knows
            self._report(DrawingPage(port=None))
