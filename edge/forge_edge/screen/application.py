"""The screen's routes: one page, its live stream, one address for every touch, and the entrance."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Protocol
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forge_edge.errors import DoorError, RoomBusyError, TapInvalidError
from forge_edge.screen import taps
from forge_edge.screen.door import COOKIE, ENTRANCE, Door
from forge_edge.screen.memory import ScreenMemory
from forge_edge.screen.pages import STATIC, Pages
from forge_edge.screen.shown import Shown
from forge_edge.screen.taps import DrawZones, Tap
from forge_edge.watching import Drawing
from forge_shared.logs import get_logger

BODY_MAX_BYTES = 64 * 1024
"""The longest answer in own words has 10,000 characters, at most four bytes each, and most of them escaped as three."""
MOST_FIELDS = taps.MOST_ANSWERS + 8
BEAT_SECONDS = 2.0
"""How often an open page hears from the room; ``static/screen.js`` says that the room is lost after three."""
NOTE_SECONDS = 60.0
TAP_SECONDS = 4.0
"""How long a touch may wait until the room has taken it. The page gives up after five."""

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with it browsers send "Origin: null" on our own forms, which the door must refuse.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
CLOSED = (
    "This is not the screen of this room",
    "The screen is opened by its own file. If you need someone, press the call button.",
)
FAILED = ("That did not work", "Please try again. If you need someone, press the call button.")

log = get_logger()


class Room(Protocol):
    """The room behind the screen. Everything is called on the event loop."""

    @property
    def memory(self) -> ScreenMemory:
        """Wakes who watches."""

    @property
    def drawing(self) -> Drawing | None:
        """The eyes' page on which staff draw, if it was opened."""

    def shown(self) -> Shown:
        """Return what is on the screen now."""

    async def tapped(self, tap: Tap) -> None:
        """Take a touch; returns when it has taken effect.

        Raises:
            RoomBusyError: It was not taken.
        """


def create_application(  # noqa: C901 (one function for each route)
    room: Room, door: Door, pages: Pages, closing: asyncio.Event
) -> ASGIApp:
    """Return the screen's application.

    Args:
        room: What it shows and touches.
        door: Who comes in.
        pages: How it looks.
        closing: Ends every open stream once set.
    """
    under_way: set[asyncio.Task[None]] = set()

    async def screen(_: Request) -> Response:
        return HTMLResponse(pages.screen(room.shown(), room.memory.moment))

    async def live(_: Request) -> Response:
        return StreamingResponse(_stream(room, pages, closing), media_type="text/event-stream")

    async def draw(_: Request) -> Response:
        return _way_to_drawing(room, pages)

    async def tap(request: Request) -> Response:
        # A touch that has begun to take effect is never broken off, whether or not its page still waits.
        touched = taps.read(await _fields(request))
        taking = asyncio.create_task(room.tapped(touched), name="screen-tap")
        under_way.add(taking)
        taking.add_done_callback(under_way.discard)
        if not (await asyncio.wait({taking}, timeout=TAP_SECONDS))[0]:
            raise RoomBusyError("the room did not take a touch in time")
        taking.result()
        leads_on = isinstance(touched, DrawZones) and room.drawing is not None
        return RedirectResponse("/draw" if leads_on else "/", status_code=303)

    async def entrance(request: Request) -> Response:
        keys = (await _fields(request)).get("key", [])
        if len(keys) != 1 or not door.takes(keys[0]):
            raise DoorError("this is not the key")
        response = HTMLResponse(pages.opened())
        # No "Secure": the page is not encrypted, and never leaves the machine.
        response.set_cookie(COOKIE, door.cookie, max_age=400 * 86_400, httponly=True, samesite="strict")
        return response

    async def refused(_: Request, error: Exception) -> Response:
        status = 403 if isinstance(error, DoorError) else 503 if isinstance(error, RoomBusyError) else 400
        return HTMLResponse(pages.closed(*(CLOSED if status == 403 else FAILED)), status_code=status)  # noqa: PLR2004 (HTTP's word)

    async def refused_by_framework(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        return HTMLResponse(pages.closed(*FAILED), status_code=status)

    async def failed(_: Request, error: Exception) -> Response:
        log.error("screen.failed", exc_info=error)
        return HTMLResponse(pages.closed(*FAILED), status_code=500)

    application = Starlette(
        routes=[
            Route("/", screen),
            Route("/live", live),
            Route("/draw", draw),
            Route("/tap", tap, methods=["POST"]),
            Route(ENTRANCE, entrance, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={
            DoorError: refused,
            RoomBusyError: refused,
            TapInvalidError: refused,
            HTTPException: refused_by_framework,
            Exception: failed,
        },
    )
    return Guard(application, door, pages)


class Guard:
    """Refuses, before any route is looked for, what does not come from the room's own screen; adds the headers."""

    def __init__(self, application: ASGIApp, door: Door, pages: Pages) -> None:
        self._application = application
        self._door = door
        self._pages = pages
        self._noted_seconds = float("-inf")
        self._refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            raise RuntimeError("the screen's server speaks HTTP alone")
        static = scope["path"].startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if static:
                    headers["Cache-Control"] = "no-cache"
                    # The file with the key finds out by it that the node has started. It holds nothing of anybody.
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            await send(message)

        names = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        headers = dict(names)
        hosts = sum(name == "host" for name, _ in names)
        try:
            self._door.check(scope["method"], scope["path"], headers, hosts)
        except DoorError as error:
            self._note_refusal(error)
            answer = HTMLResponse(self._pages.closed(*CLOSED), status_code=403, headers={"Connection": "close"})
            await answer(scope, receive, send_with_headers)
            return
        await self._application(scope, receive, send_with_headers)

    def _note_refusal(self, error: DoorError) -> None:
        """Log that somebody was refused, at most once a minute: who knocks must not fill the log."""
        now = time.monotonic()
        self._refused += 1
        if now - self._noted_seconds >= NOTE_SECONDS:
            log.warning("screen.refused", code=error.code, times=self._refused)
            self._noted_seconds, self._refused = now, 0


def _way_to_drawing(room: Room, pages: Pages) -> Response:
    """Lead to the eyes' page: its token goes in the body of a form, to that port of this machine alone."""
    drawing = room.drawing
    if drawing is None:
        return RedirectResponse("/", status_code=303)
    target = f"http://127.0.0.1:{drawing.port}"
    policy = SECURITY_HEADERS["Content-Security-Policy"].replace("form-action 'self'", f"form-action {target}")
    # The eyes must see which page it comes from.
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "strict-origin"}
    return HTMLResponse(pages.draw(target, drawing.token), headers=headers)


async def _fields(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form.

    Raises:
        TapInvalidError: It is too large, or no form.
    """
    length = request.headers.get("content-length", "0")
    kind = request.headers.get("content-type", "").partition(";")[0]
    if not length.isdigit() or int(length) > BODY_MAX_BYTES or kind != "application/x-www-form-urlencoded":
        raise TapInvalidError("this page sends no such thing")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX_BYTES:
            raise TapInvalidError("this page sends no such thing")
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise TapInvalidError("this page sends no such thing") from None


async def _stream(room: Room, pages: Pages, closing: asyncio.Event) -> AsyncIterator[str]:
    """Yield the screen as server-sent events, once at each change, and a beat between."""
    async with room.memory.watching() as changed:
        before = ""
        while changed is not None and not closing.is_set():
            changed.clear()
            fragment = pages.room(room.shown())
            yield _event("" if fragment == before else fragment, room.memory.moment)
            before = fragment
            await _wait(changed, closing)


async def _wait(changed: asyncio.Event, closing: asyncio.Event) -> None:
    """Wait for a change or the end, one beat at most."""
    waits = [asyncio.create_task(changed.wait()), asyncio.create_task(closing.wait())]
    try:
        await asyncio.wait(waits, timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _event(fragment: str, moment: int) -> str:
    """Return one server-sent event (WHATWG HTML, section 9.2); an empty one is a beat."""
    if not fragment:
        return "event: beat\ndata:\n\n"
    return f"id: {moment}\n" + "".join(f"data: {line}\n" for line in fragment.splitlines()) + "\n"
