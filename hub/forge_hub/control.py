"""The command line asks the serving hub: a private socket, one JSON line each way.

The embedded graph has one writing process, so a command that changes it is carried out by the hub that serves.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from forge_hub.errors import HubError
from forge_shared.logs import get_logger

ANSWER_SECONDS = 600.0
"""A rebuild of a large graph takes minutes; the caller may interrupt at any time."""
_LINE_BYTES = 64 * 1024

Handler = Callable[[], Awaitable[Mapping[str, Any]]]

log = get_logger()


async def serve(path: Path, handlers: Mapping[str, Handler]) -> None:
    """Answer commands on the socket until cancelled. Only the user who owns the folder can reach it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, ValueError):
            line = await reader.readline()
            name = json.loads(line).get("command", "")
            handler = handlers.get(name)
            try:
                reply = {"ok": True, **await handler()} if handler else {"ok": False, "error": "unknown command"}
            except HubError as error:
                reply = {"ok": False, "error": str(error)}
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(answer, path, limit=_LINE_BYTES)
    path.chmod(0o600)
    try:
        async with server:
            await server.serve_forever()
    finally:
        path.unlink(missing_ok=True)


def ask(path: Path, command: str) -> Mapping[str, Any] | None:
    """Ask the serving hub to carry out a command.

    Returns:
        Its answer, or None when no hub serves here.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(json.dumps({"command": command}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                reply: Mapping[str, Any] = json.loads(lines.readline())
                return reply
    except (FileNotFoundError, ConnectionRefusedError):
        return None
