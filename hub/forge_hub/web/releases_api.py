"""The admin's HTTP API of model releases: the pages' acts as JSON, under the same session and the same roles.

A changing request carries the session's token in `X-CSRF-Token`; every answer to a GET says it in the same header.
"""

import asyncio
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse

from forge_hub.errors import NotFoundError, ReleaseError
from forge_hub.releases.approval import MOST_APPROVAL_BYTES
from forge_hub.web.guard import CSRF_HEADER
from forge_hub.web.release_desk import ReleaseDesk
from forge_hub.web.releases_view import ReleaseDetail, ReleasesState, read_detail, read_state
from forge_hub.web.site import Site, SiteOf, Who

Target = Annotated[str, Path(max_length=120)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_reading(app)
    _add_acts(app)


def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of what this API answers, by name."""
    return {"api-releases": ReleasesState.model_json_schema(), "api-release": ReleaseDetail.model_json_schema()}


def document(site: Site) -> Response:
    """Return what waits for approval as the file that people sign.

    Raises:
        NotFoundError: Nothing waits.
    """
    content = site.parts.releases.catalogue.images.staged_document()
    if content is None:
        raise NotFoundError("nothing waits for approval")
    version = site.parts.releases.catalogue.images.targets_version + 1
    name = f"releases-{version}.json"
    return Response(
        content, media_type="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


async def body_of(request: Request, most: int) -> bytes:
    """Read a small body.

    Raises:
        ReleaseError: It is larger.
    """
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > most:
            raise ReleaseError("what was sent is too large")
    return content


def _add_reading(app: FastAPI) -> None:
    @app.get("/v1/admin/releases")
    def releases(site: SiteOf, who: Who) -> JSONResponse:
        """What is published, what waits for approval, and who has signed it (`api-releases`)."""
        return answer(read_state(site.parts.releases.catalogue), who.csrf_token)

    @app.get("/v1/admin/releases/{target}")
    def release(target: Target, site: SiteOf, who: Who) -> JSONResponse:
        """One release: its manifest, its card, the beginning of its golden input and output (`api-release`)."""
        return answer(read_detail(site.parts.releases.catalogue, target), who.csrf_token)

    @app.get("/v1/admin/approval/document")
    def approval(site: SiteOf, who: Who) -> Response:
        """The bytes to be signed, for `forge-hub model sign`; 404 when nothing waits."""
        found = document(site)
        found.headers[CSRF_HEADER] = who.csrf_token
        return found


def _add_acts(app: FastAPI) -> None:
    @app.post("/v1/admin/releases")
    async def add(request: Request, site: SiteOf, who: Who) -> JSONResponse:
        """Add a release: the body is a tar (plain or gzip) or a zip; Content-Length is needed. 201 with its target."""
        size = request.headers.get("content-length", "")
        if not size.isdigit():
            raise ReleaseError("the length of the upload must be stated (Content-Length)")
        manifest = await ReleaseDesk(site, who.account_id).add(request.stream(), int(size))
        return JSONResponse({"target": manifest.target}, status_code=201)

    @app.post("/v1/admin/releases/{target}/withdraw")
    def withdraw(target: Target, site: SiteOf, who: Who) -> JSONResponse:
        """Stage the releases without this one; it takes the same approvals."""
        ReleaseDesk(site, who.account_id).withdraw(target)
        return answer(read_state(site.parts.releases.catalogue))

    @app.post("/v1/admin/releases/{target}/take-back")
    def take_back(target: Target, site: SiteOf, who: Who) -> JSONResponse:
        """Undo what is staged for this release; signatures on what waits are void."""
        ReleaseDesk(site, who.account_id).take_back(target)
        return answer(read_state(site.parts.releases.catalogue))

    @app.post("/v1/admin/approval/signatures")
    async def sign(request: Request, site: SiteOf, who: Who) -> JSONResponse:
        """Add a signature: the body is the file that `forge-hub model sign` wrote."""
        content = await body_of(request, MOST_APPROVAL_BYTES)
        await asyncio.to_thread(ReleaseDesk(site, who.account_id).sign, content)
        return answer(await asyncio.to_thread(read_state, site.parts.releases.catalogue))

    @app.post("/v1/admin/approval/publish")
    def publish(site: SiteOf, who: Who) -> JSONResponse:
        """Publish what has all of its signatures."""
        ReleaseDesk(site, who.account_id).publish()
        return answer(read_state(site.parts.releases.catalogue))


def answer(model: ReleasesState | ReleaseDetail, token: str | None = None) -> JSONResponse:
    """Return a model as JSON, with the session's token where one is given."""
    return JSONResponse(model.model_dump(mode="json"), headers={CSRF_HEADER: token} if token else None)
