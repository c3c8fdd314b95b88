"""Routes of the nodes: enrolment with a claim, renewal with the current key, and the authority's public certificate."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from forge_hub.access import TooManyAttemptsError
from forge_hub.access.limits import ATTEMPTS, ATTEMPTS_WINDOW_SECONDS, Window
from forge_hub.errors import EnrolmentError
from forge_hub.web.site import Site, SiteOf
from forge_shared.enrolment import ENROL_PATH, RENEW_PATH, EnrolmentRequest, Identity, RenewalRequest

BODY_BYTES = 16 * 1024
"""A request for a P-256 key has about 400 characters; `forge_shared.enrolment.Pem` allows 8192."""

CarryOut = Callable[[bytes], Awaitable[Identity]]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    hub: Site = app.state.site
    limiter = Window(hub.parts.clock, ATTEMPTS, ATTEMPTS_WINDOW_SECONDS)

    @app.post(ENROL_PATH)
    async def enrol(request: Request, site: SiteOf) -> Response:
        return await _answer(request, site, limiter, partial(_enrol, site, request.url.scheme))

    @app.post(RENEW_PATH)
    async def renew(request: Request, site: SiteOf) -> Response:
        return await _answer(request, site, limiter, partial(_renew, site))

    @app.get("/authority.pem")
    def authority(site: SiteOf) -> Response:
        return Response(site.parts.fleet.authority, media_type="application/x-pem-file")


async def _enrol(site: Site, scheme: str, body: bytes) -> Identity:
    fleet = site.parts.fleet
    if fleet.url is None or scheme != "https":
        raise EnrolmentError("a claim is brought by HTTPS to the hub itself: set FORGE_HUB_TLS=own")
    identity = await asyncio.to_thread(fleet.enrolment.enrol, EnrolmentRequest.model_validate_json(body))
    # What the node had before is void now.
    await fleet.revocation.apply()
    return identity


async def _renew(site: Site, body: bytes) -> Identity:
    return await asyncio.to_thread(site.parts.fleet.enrolment.renew, RenewalRequest.model_validate_json(body))


async def _answer(request: Request, site: Site, limiter: Window, carry_out: CarryOut) -> Response:
    """Carry out what a node asks for; whoever fails too often from one address has to wait."""
    address = request.client.host if request.client else "unknown"
    path = request.url.path
    try:
        limiter.admit(path, address)
        identity = await carry_out(await _body(request))
    except TooManyAttemptsError as error:
        await asyncio.to_thread(site.parts.fleet.enrolment.note_refusal, "too-many")
        return _refused(429, error.code, "too many attempts: wait a quarter of an hour")
    except ValidationError:
        return _refused(400, "request.invalid", "the request is not one of a node")
    except EnrolmentError as error:
        return _refused(403, error.code, str(error))
    limiter.forget(path, address)
    return JSONResponse(identity.model_dump())


async def _body(request: Request) -> bytes:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_BYTES:
            raise EnrolmentError("the request is too large")
    return content


def _refused(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message}, status_code=status)
