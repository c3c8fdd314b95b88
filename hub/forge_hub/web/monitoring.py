"""Routes for machines that watch the hub: whether it does its work, and its numbers."""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from forge_hub.access import audit
from forge_hub.telemetry.health import status_of
from forge_hub.telemetry.metrics import CONTENT_TYPE
from forge_hub.web.guard import address_of
from forge_hub.web.site import Site, SiteOf

ANSWER_SECONDS = 5.0
"""A store that has not answered by then is not well. Ours: half of a scraper's usual limit of ten seconds."""

T = TypeVar("T")


class _Question(Generic[T]):
    """Asks one at a time, however many want to know: a store that hangs must not take every thread with it."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._asked: asyncio.Task[T] | None = None

    async def answer(self) -> T:
        """Return the answer; whoever comes while a question is open waits for its answer too.

        Raises:
            TimeoutError: There is none within `ANSWER_SECONDS`.
        """
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(asyncio.to_thread(self._ask))
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.shield(self._asked)


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    hub: Site = app.state.site
    how_it_is: _Question[Mapping[str, str]] = _Question(hub.parts.health)
    scrape = hub.parts.upkeep.scrape
    numbers = None if scrape is None else _Question(scrape.read)

    @app.get("/healthz")
    async def health() -> JSONResponse:
        try:
            states = await how_it_is.answer()
        except TimeoutError:
            states = {"stores": "stores.slow"}
        status = status_of(states)
        return JSONResponse({"status": status, "parts": dict(states)}, status_code=503 if status == "failed" else 200)

    @app.get("/metrics")
    async def metrics(request: Request, site: SiteOf) -> Response:
        if scrape is None or numbers is None:
            return JSONResponse({"code": "metrics.off"}, status_code=404)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        expected = scrape.token.get_secret_value().encode()
        # Header values are bytes that Starlette shows as Latin-1.
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode("latin-1"), expected):
            await asyncio.to_thread(
                site.access.refusals.note,
                audit.UNKNOWN,
                "metrics.read",
                site.parts.site,
                "metrics.token",
                address_of(request),
            )
            headers = {"WWW-Authenticate": "Bearer"}
            return JSONResponse({"code": "metrics.token"}, status_code=401, headers=headers)
        try:
            return Response(await numbers.answer(), headers={"Content-Type": CONTENT_TYPE})
        except TimeoutError:
            return JSONResponse({"code": "stores.slow"}, status_code=503)
