"""The admin's pages of model releases: add, look at, approve with two people, publish, withdraw."""

from typing import Annotated

from fastapi import FastAPI, File, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.errors import ReleaseError
from forge_hub.releases.approval import MOST_APPROVAL_BYTES
from forge_hub.web.release_desk import ReleaseDesk
from forge_hub.web.releases_api import document
from forge_hub.web.releases_view import read_release, read_state
from forge_hub.web.site import Site, SiteOf, Who

Target = Annotated[str, Path(max_length=120)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""

    @app.get("/releases")
    def releases(request: Request, site: SiteOf) -> HTMLResponse:
        return _list(request, site)

    _add_approval(app)
    _add_one(app)


def _add_approval(app: FastAPI) -> None:
    @app.get("/releases/approval")
    def approval(request: Request, site: SiteOf) -> HTMLResponse:
        return _approval(request, site)

    @app.get("/releases/approval/document.json")
    def to_sign(site: SiteOf) -> Response:
        return document(site)

    @app.post("/releases/approval/signatures")
    def sign(request: Request, site: SiteOf, who: Who, signature: Annotated[bytes, File()] = b"") -> Response:
        try:
            ReleaseDesk(site, who.account_id).sign(signature[: MOST_APPROVAL_BYTES + 1])
        except ReleaseError as error:
            return _approval(request, site, status=422, problem=str(error))
        return RedirectResponse("/releases/approval", status_code=303)

    @app.post("/releases/approval/publish")
    def publish(request: Request, site: SiteOf, who: Who) -> Response:
        try:
            ReleaseDesk(site, who.account_id).publish()
        except ReleaseError as error:
            return _approval(request, site, status=422, problem=str(error))
        return RedirectResponse("/releases?published=1", status_code=303)


def _add_one(app: FastAPI) -> None:
    @app.get("/releases/{target}")
    def one(request: Request, target: Target, site: SiteOf) -> HTMLResponse:
        return _one(request, site, target)

    @app.post("/releases/{target}/withdraw")
    def withdraw(request: Request, target: Target, site: SiteOf, who: Who) -> Response:
        try:
            ReleaseDesk(site, who.account_id).withdraw(target)
        except ReleaseError as error:
            return _one(request, site, target, status=422, problem=str(error))
        return RedirectResponse("/releases/approval", status_code=303)

    @app.post("/releases/{target}/take-back")
    def take_back(request: Request, target: Target, site: SiteOf, who: Who) -> Response:
        try:
            ReleaseDesk(site, who.account_id).take_back(target)
        except ReleaseError as error:
            return _approval(request, site, status=422, problem=str(error))
        return RedirectResponse("/releases/approval", status_code=303)


def _list(request: Request, site: Site) -> HTMLResponse:
    return site.pages.page(
        request,
        "releases.html",
        state=read_state(site.parts.releases.catalogue),
        most_bytes=site.parts.releases.intake.most_bytes,
        published="published" in request.query_params,
    )


def _approval(request: Request, site: Site, *, status: int = 200, problem: str = "") -> HTMLResponse:
    state = read_state(site.parts.releases.catalogue)
    return site.pages.page(request, "approval.html", status=status, state=state, problem=problem)


def _one(request: Request, site: Site, target: str, *, status: int = 200, problem: str = "") -> HTMLResponse:
    summary, found = read_release(site.parts.releases.catalogue, target)
    state = read_state(site.parts.releases.catalogue)
    return site.pages.page(
        request, "release.html", status=status, release=summary, found=found, state=state, problem=problem
    )
