"""The drawing page's routes. A picture goes to the browser that came with the token, and nowhere else."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forge_edge.drawing import kept
from forge_edge.drawing.door import DrawingDoor
from forge_edge.drawing.drawn import WORDS, Drawn, doubts
from forge_edge.drawing.stills import Stills
from forge_edge.errors import DrawingError, DrawingInvalidError, DrawingRefusedError, NodeConfigError
from forge_shared.logs import get_logger

BODY_MAX_BYTES: Final = 256 * 1024
"""37 polygons of 64 corners are some 100 kB."""
STILL_SECONDS: Final = 3.0
"""How long a picture is waited for; a camera that works gives ten a second."""
FOLDER: Final = Path(__file__).parent
LOOK: Final = FOLDER.parent / "screen" / "static"
"""The room's screen and this page look alike: one style sheet."""

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # Nothing of it may reach the browser's disk.
    "Cache-Control": "no-store",
}

log = get_logger()


def create_application(
    folder: Path, stills: Stills, door: DrawingDoor, clock: Callable[[], float] = time.monotonic
) -> ASGIApp:
    """Return the drawing page's application.

    Args:
        folder: The node's state folder, with zones and masks.
        stills: Gives pictures.
        door: Who may draw, and for how long.
        clock: Monotonic seconds.
    """
    page = _Page(folder, stills, door, clock)
    application = Starlette(
        routes=[
            Route("/", page.open, methods=["POST"]),
            Route("/still", page.still, methods=["POST"]),
            Route("/save", page.save, methods=["POST"]),
            Route("/undo", page.undo, methods=["POST"]),
            Route("/beat", page.beat, methods=["POST"]),
            Route("/leave", page.leave, methods=["POST"]),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
            Mount("/look", StaticFiles(directory=LOOK)),
        ],
        exception_handlers={DrawingError: _wrong, NodeConfigError: _wrong, Exception: _failed},
    )
    return _Guard(application, door, clock)


class _Page:
    """What the page asks for."""

    def __init__(self, folder: Path, stills: Stills, door: DrawingDoor, clock: Callable[[], float]) -> None:
        self._folder, self._stills, self._door, self._clock = folder, stills, door, clock
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def open(self, request: Request) -> Response:
        tokens = parse_qs((await _body(request)).decode("ascii", "replace")).get("token", [])
        key = self._door.open(tokens[0] if len(tokens) == 1 else "", self._clock())
        try:
            drawn, trouble = kept.current(self._folder), ""
        except NodeConfigError as error:
            drawn, trouble = Drawn(), _sentence(error)
        page = self._templates.get_template("drawing.html").render(
            key=key, screen=self._door.screen, drawn=_as_json(drawn), zones=WORDS, trouble=trouble
        )
        return HTMLResponse(page)

    async def still(self, _: Request) -> Response:
        picture = await asyncio.to_thread(self._stills.take, STILL_SECONDS)
        if picture is None:
            return JSONResponse({"wrong": "The camera gives no picture."}, status_code=503)
        return Response(picture, media_type="image/jpeg")

    async def save(self, request: Request) -> Response:
        drawn = Drawn.read(await _body(request))
        asked = doubts(drawn)
        if asked and request.headers.get("drawing-anyway") != "yes":
            return JSONResponse({"doubts": [doubt.sentence for doubt in asked]}, status_code=409)
        await asyncio.to_thread(kept.keep, self._folder, drawn)
        _note("drawing.kept", drawn, doubted=len(asked))
        return JSONResponse({"kept": True})

    async def undo(self, _: Request) -> Response:
        drawn = await asyncio.to_thread(kept.undo, self._folder)
        _note("drawing.taken-back", drawn)
        return Response(_as_json(drawn), media_type="application/json")

    async def beat(self, _: Request) -> Response:
        return Response(status_code=204)

    async def leave(self, _: Request) -> Response:
        self._door.leave()
        return Response(status_code=204)


class _Guard:
    """Refuses, before any route is looked for, whoever may not draw; adds the headers."""

    def __init__(self, application: ASGIApp, door: DrawingDoor, clock: Callable[[], float]) -> None:
        self._application = application
        self._door = door
        self._clock = clock
        self._refuses = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("the drawing page's server speaks HTTP alone")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        names = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        hosts = sum(name == "host" for name, _ in names)
        try:
            self._door.check(scope["method"], scope["path"], dict(names), hosts, self._clock())
        except DrawingRefusedError as error:
            if not self._refuses:  # once: who knocks must not fill the log
                log.warning("drawing.refused", code=error.code)
            self._refuses = True
            await _refusal()(scope, receive, send_with_headers)
            return
        await self._application(scope, receive, send_with_headers)


async def _wrong(_: Request, error: Exception) -> Response:
    if isinstance(error, DrawingRefusedError):
        return _refusal()
    status = 400 if isinstance(error, DrawingInvalidError) else 503
    return JSONResponse({"wrong": _sentence(error)}, status_code=status)


async def _failed(_: Request, error: Exception) -> Response:
    log.error("drawing.failed", exc_info=error)
    return JSONResponse({"wrong": "That did not work."}, status_code=500)


def _sentence(error: Exception) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."


def _refusal() -> Response:
    return HTMLResponse("This is not the screen of this room.", status_code=403, headers={"Connection": "close"})


def _as_json(drawn: Drawn) -> str:
    return json.dumps({"zones": dict(drawn.zones), "masks": drawn.masks})


def _note(event: str, drawn: Drawn, **more: int) -> None:
    log.info(
        event,
        zones=len(drawn.zones),
        masks=len(drawn.masks),
        zones_version=drawn.zones_version,
        masks_version=drawn.masks_version,
        **more,
    )


async def _body(request: Request) -> bytes:
    """Return what was sent.

    Raises:
        DrawingInvalidError: It is too long.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX_BYTES:
            raise DrawingInvalidError("this page sends no such thing")
    return bytes(body)
