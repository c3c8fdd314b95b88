"""Serves the screen on loopback. What fails here never ends the room: it hears and calls without a screen too."""

import asyncio
import socket
from pathlib import Path

from forge_edge.loopback.listener import listening
from forge_edge.loopback.server import GRACE_SECONDS, QuietServer
from forge_edge.screen.application import Room, create_application
from forge_edge.screen.door import Door, open_door
from forge_edge.screen.pages import Pages
from forge_shared.backoff import Backoff
from forge_shared.logs import get_logger

MOST_CONNECTIONS = 32
RETRY_SECONDS = (1.0, 30.0)

log = get_logger()


async def serve(room: Room, folder: Path, port: int, wake_word: str) -> None:
    """Serve the screen until cancelled; where that fails, try again. A trouble is logged once, and its end once.

    Args:
        room: What it shows and touches.
        folder: The node's state folder; the file that opens the screen is written there.
        port: TCP port of 127.0.0.1.
        wake_word: What the room is called, as it is said.
    """
    backoff = Backoff(*RETRY_SECONDS)
    while True:
        try:
            # The port first: whoever has it in our place must not be sent the key by a browser that we told to.
            with listening(port) as listener:
                door = open_door(folder, port)
                if backoff.succeeded():
                    log.info("screen.recovered")
                await _serve(room, door, Pages(wake_word), listener)
        except OSError as error:
            if not backoff.failures:
                log.warning("screen.unavailable", port=port, reason=error.strerror)
        except Exception:  # a fault of the screen must not silence the room, which is what the core would end with
            log.exception("screen.failed")
        await asyncio.sleep(backoff.failed())


async def _serve(room: Room, door: Door, pages: Pages, listener: socket.socket) -> None:
    closing = asyncio.Event()
    server = QuietServer(create_application(room, door, pages, closing), MOST_CONNECTIONS)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="screen-server")
    try:
        await asyncio.shield(serving)
    finally:
        closing.set()
        server.should_exit = True
        await asyncio.wait({serving}, timeout=GRACE_SECONDS + 1)
        serving.cancel()
