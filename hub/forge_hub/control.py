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
from forge_shared.errors import ForgeError
from forge_shared.logs import get_logger

ANSWER_SECONDS = 600.0
"""A rebuild of a large graph takes minutes; the caller may interrupt at any time."""
_LINE_BYTES = 64 * 1024

Handler = Callable[..., Awaitable[Mapping[str, Any]]]
"""Takes the command's arguments, texts by name."""

log = get_logger()


async def serve(path: Path, handlers: Mapping[str, Handler]) -> None:
    """Answer commands on the socket until cancelled. Only the user who owns the folder can reach it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            reply = await _reply(reader, handlers)
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


def ask(path: Path, command: str, **arguments: str | None) -> Mapping[str, Any] | None:
    """Ask the serving hub to carry out a command.

    Args:
        path: The hub's socket.
        command: Name of the command.
        **arguments: What the command takes.

    Returns:
        Its answer, or None when no hub serves here.

    Raises:
        HubError: The hub cannot be asked, ended meanwhile, took too long, or gave no answer that can be read.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            try:
                connection.connect(str(path))
            except (FileNotFoundError, ConnectionRefusedError):
                return None
            connection.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
            with connection.makefile("rb") as lines:
                line = lines.readline()
    except TimeoutError:
        raise HubError(f"the hub did not answer within {ANSWER_SECONDS:.0f} s; its log says how far it is") from None
    except OSError as error:
        raise HubError(f"the hub could not be asked, or ended meanwhile ({type(error).__name__})") from None
    if not line.endswith(b"\n"):
        raise HubError("the hub ended before it answered; start it and try again")
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        reply = None
    if not isinstance(reply, dict):
        raise HubError("what answers at the hub's control socket is no hub of this version")
    return reply


async def _reply(reader: asyncio.StreamReader, handlers: Mapping[str, Handler]) -> Mapping[str, Any]:
    try:
        asked = json.loads(await reader.readline())
    except (ValueError, RecursionError):
        return {"ok": False, "error": "no command"}
    name = asked.get("command") if isinstance(asked, dict) else None
    handler = handlers.get(name) if isinstance(name, str) else None
    arguments = asked.get("arguments", {}) if isinstance(asked, dict) else {}
    if handler is None or not isinstance(arguments, dict):
        return {"ok": False, "error": "unknown command"}
    try:
        return {"ok": True, **await handler(**arguments)}
    except ForgeError as error:
        return {"ok": False, "error": str(error)}
    except Exception as error:  # who asked must not wait for an answer that never comes
        log.exception("command.failed", command=name)
        return {"ok": False, "error": f"the command failed in the hub ({type(error).__name__}); its log says where"}
