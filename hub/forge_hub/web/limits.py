"""What is refused before any route is looked for: floods, bodies that are too large, and names that are not ours."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forge_hub.access import audit
from forge_hub.access.limits import REQUESTS, REQUESTS_WINDOW_SECONDS, TooManyAttemptsError, Window
from forge_shared.clock import Clock

BODY_MAX_BYTES = 256 * 1024
"""The largest form of the pages has a few thousand characters. Ours."""

UPLOAD = ("POST", "/v1/admin/releases")
"""The one route that takes more: a model release, which its handler writes to the disk as it comes."""

FORMS = (b"multipart/form-data", b"application/x-www-form-urlencoded")
"""Bodies that are read whole before anybody is asked who sends them."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Limits:
    """Answers 429, 413 and 400 itself; everything else goes to the application inside.

    Args:
        app: The application.
        refusals: Where refusals are written down.
        clock: For the limit on requests.
        hosts: The names under which the pages are reached. A link that an admin passes on is made from the name in
            the request, so a name that is not ours must not come this far.
        upload_bytes: Size of the largest body of `UPLOAD`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        refusals: audit.Refusals,
        clock: Clock,
        hosts: frozenset[str],
        upload_bytes: int = BODY_MAX_BYTES,
    ) -> None:
        self._app = app
        self._upload_bytes = upload_bytes
        self._refusals = refusals
        self._hosts = hosts | LOOPBACK
        self._requests = Window(clock, REQUESTS, REQUESTS_WINDOW_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        address = client[0] if client else "unknown"
        headers = {
            name: value for name, value in scope["headers"] if name in {b"host", b"content-length", b"content-type"}
        }
        try:
            self._requests.admit(address)
        except TooManyAttemptsError as error:
            await self._refuse(scope, send, address, 429, "request.too-many", retry_seconds=error.retry_seconds)
            return
        if _name(headers.get(b"host", b"")) not in self._hosts:
            await self._refuse(scope, send, address, 400, "request.host")
            return
        length = headers.get(b"content-length", b"0")
        is_form = headers.get(b"content-type", b"").lower().startswith(FORMS)
        takes_more = (scope["method"], scope["path"]) == UPLOAD and not is_form
        most = self._upload_bytes if takes_more else BODY_MAX_BYTES
        if not length.isdigit() or int(length) > most:
            await self._refuse(scope, send, address, 413, "request.too-large")
            return
        await self._pass(scope, receive, send, address, most)

    async def _pass(self, scope: Scope, receive: Receive, send: Send, address: str, most: int) -> None:
        received, answered = 0, False

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            # A body without a stated length is cut off; the application sees a client that went away.
            return message if received <= most else {"type": "http.disconnect"}

        async def send_unless_cut(message: Message) -> None:
            nonlocal answered
            if received <= most or answered:
                answered = True
                await send(message)

        await self._app(scope, receive_counted, send_unless_cut)
        if not answered:
            await self._refuse(scope, send, address, 413, "request.too-large")

    async def _refuse(  # noqa: PLR0913 (what an answer needs)
        self, scope: Scope, send: Send, address: str, status: int, code: str, *, retry_seconds: int | None = None
    ) -> None:
        method = scope["method"] if scope["method"] in {"GET", "POST"} else "other"
        await asyncio.to_thread(self._refusals.note, audit.UNKNOWN, "route.open", method, code, address)
        headers = {} if retry_seconds is None else {"Retry-After": str(retry_seconds)}
        answer = JSONResponse({"code": code}, status_code=status, headers={**headers, "Connection": "close"})
        await answer(scope, _nothing_more, send)


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}


def _name(host: bytes) -> str:
    name = host.decode("latin-1").lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if ":" in name else name
