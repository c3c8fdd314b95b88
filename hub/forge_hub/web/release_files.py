"""Routes from which nodes fetch model releases: the site's images, and of the director their own part alone.

Everything here is signed, and none of it is secret from the site's nodes; it is given to nobody else. A node reads on
from where it stopped: of a release only what follows a byte is asked for.
"""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from forge_hub.access import TooManyAttemptsError
from forge_hub.access.limits import ATTEMPTS_WINDOW_SECONDS, Window
from forge_hub.errors import EnrolmentError
from forge_hub.fleet.release_tokens import ReleaseTokens
from forge_hub.web.site import Site, SiteOf
from forge_shared.release_access import RELEASES_PATH, TOKEN_PATH, TokenRequest

TOKEN_ATTEMPTS: Final = 100
"""Refused requests for a token of one address in a quarter of an hour. Ours: a hundred rooms stand behind one proxy,
and all of them ask anew after the hub has started."""
READS, READS_WINDOW_SECONDS = 240, 60.0
"""Files that one node reads in a minute. Ours: a look takes some ten, and a broken line is tried again in seconds."""
DOWNLOADS_OF_NODE: Final = 2
DOWNLOADS: Final = 24
"""Releases given out at once, to one node and to all. Ours: rings of a roll-out are some ten rooms; who is refused goes
on a little later from where it was, and the pages stay quick."""
RETRY_SECONDS: Final = 30
BODY_BYTES: Final = 4096
"""Of a request for a token, which has about 400."""

_ROOT = re.compile(r"[1-9][0-9]{0,5}\.root\.json")
_METADATA = re.compile(r"timestamp\.json|[1-9][0-9]{0,8}\.(?:root|snapshot|targets)\.json")
_TARGET = re.compile(r"[0-9a-f]{64}\.[a-z0-9][a-z0-9-]{0,62}-[0-9.]{5,32}\.tar")
_RANGE = re.compile(r"bytes=[0-9]{1,15}-")


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    hub: Site = app.state.site
    door = _Door(hub)
    downloads: Counter[str] = Counter()

    @app.post(TOKEN_PATH)
    async def token(request: Request) -> Response:
        return await door.grant(request)

    @app.get(f"{RELEASES_PATH}/images/metadata/{{name}}")
    async def image_metadata(request: Request, name: str, site: SiteOf) -> Response:
        node = await door.node(request)
        return node if isinstance(node, Response) else await _metadata(site, "images", name)

    @app.get(f"{RELEASES_PATH}/director/metadata/{{name}}")
    async def director_metadata(request: Request, name: str, site: SiteOf) -> Response:
        node = await door.node(request)
        if isinstance(node, Response):
            return node
        # The keys are the same for every room, and are known before a room is told anything.
        return await _metadata(site, "director/root" if _ROOT.fullmatch(name) else f"director/nodes/{node}", name)

    @app.get(f"{RELEASES_PATH}/images/targets/{{name}}")
    async def target(request: Request, name: str, site: SiteOf) -> Response:
        node = await door.node(request)
        if isinstance(node, Response):
            return node
        if downloads[node] >= DOWNLOADS_OF_NODE or downloads.total() >= DOWNLOADS:
            return _refused(503, "release.busy", RETRY_SECONDS)
        asked = request.headers.get("range")
        if asked is not None and not _RANGE.fullmatch(asked):
            return _refused(416, "request.range")
        releases = site.parts.fleet.releases
        path = releases / "images" / "targets" / name if releases is not None and _TARGET.fullmatch(name) else None
        if path is None or not await asyncio.to_thread(path.is_file):
            return _refused(404, "release.unknown")
        return _Counted(path, downloads, node)


class _Counted(FileResponse):
    """A file on its way to a node: counted until it has arrived or the node is gone."""

    def __init__(self, path: Path, downloads: "Counter[str]", node: str) -> None:
        super().__init__(path, media_type="application/octet-stream")
        self._downloads, self._node = downloads, node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the file out, from the byte on that was asked for."""
        self._downloads[self._node] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._downloads[self._node] -= 1
            if not self._downloads[self._node]:
                del self._downloads[self._node]


class _Door:
    """Who may read."""

    def __init__(self, site: Site) -> None:
        parts = site.parts
        self._tokens = ReleaseTokens(parts.fleet.enrolment, parts.clock)
        self._enrolment = parts.fleet.enrolment
        self._attempts = Window(parts.clock, TOKEN_ATTEMPTS, ATTEMPTS_WINDOW_SECONDS)
        self._reads = Window(parts.clock, READS, READS_WINDOW_SECONDS)

    async def grant(self, request: Request) -> Response:
        """Grant a token, or say why not."""
        address = request.client.host if request.client else "unknown"
        try:
            self._attempts.admit(TOKEN_PATH, address)
            asked = TokenRequest.model_validate_json(await _body(request))
            granted = await asyncio.to_thread(self._tokens.grant, asked)
        except TooManyAttemptsError as error:
            await asyncio.to_thread(self._enrolment.note_refusal, "too-many")
            return _refused(429, error.code, error.retry_seconds)
        except ValidationError:
            return _refused(400, "request.invalid")
        except EnrolmentError as error:
            return _refused(403, error.code)
        self._attempts.forget(TOKEN_PATH, address)
        return JSONResponse(granted.model_dump())

    async def node(self, request: Request) -> str | Response:
        """Return which node asks, or the answer to somebody else."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            node = await asyncio.to_thread(self._tokens.node_of, token if scheme.lower() == "bearer" else "")
            self._reads.admit(node)
        except EnrolmentError as error:
            return _refused(403, error.code)
        except TooManyAttemptsError as error:
            return _refused(429, error.code, error.retry_seconds)
        return node


async def _metadata(site: Site, folder: str, name: str) -> Response:
    """Give out a file whole as it is now: it is replaced whole, and its length must be that of its content."""
    releases = site.parts.fleet.releases
    if releases is None or not _METADATA.fullmatch(name):
        return _refused(404, "release.unknown")
    try:
        content = await asyncio.to_thread((releases / folder / "metadata" / name).read_bytes)
    except FileNotFoundError:
        return _refused(404, "release.unknown")
    return Response(content, media_type="application/json")


async def _body(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_BYTES:
            raise EnrolmentError("the request is too large")
    return content


def _refused(status: int, code: str, retry_seconds: int | None = None) -> JSONResponse:
    headers = {} if retry_seconds is None else {"Retry-After": str(retry_seconds)}
    return JSONResponse({"code": code}, status_code=status, headers=headers)
