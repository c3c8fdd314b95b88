"""Pages about rooms beside roll-outs: their groups, locks against new releases, and what ran in a room when."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.errors import NotFoundError, ReleaseError
from forge_hub.records import reading
from forge_hub.releases.history import Ran
from forge_hub.web.guard import address_of
from forge_hub.web.release_wording import ROLES
from forge_hub.web.rollouts_view import group_names, read_moment
from forge_hub.web.site import Site, SiteOf, Who
from forge_shared.releases import ReleaseRole

Word = Annotated[str, Form(max_length=64)]
Nodes = Annotated[list[Annotated[str, Form(max_length=64)]], Form(max_length=2000)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_groups(app)
    _add_locks(app)

    @app.get("/rollouts/history")
    def history(
        request: Request,
        site: SiteOf,
        node: Annotated[str, Query(max_length=64)] = "",
        role: ReleaseRole = "transcriber",
        at: Annotated[str, Query(max_length=40)] = "",
    ) -> HTMLResponse:
        found: Ran | None = None
        problem = ""
        if node and at:
            try:
                reading.room(site.parts.database, node)
                found = site.parts.releases.rollouts.ran(node, role, read_moment(at, site.parts.zone))
            except (ReleaseError, NotFoundError) as error:
                problem = str(error)
        return site.pages.page(
            request,
            "rollout_history.html",
            status=422 if problem else 200,
            given={"node": node, "role": role, "at": at or _local(site)},
            found=found,
            problem=problem,
            roles=ROLES,
            **_rooms(site),
        )


def _add_groups(app: FastAPI) -> None:
    @app.get("/rollouts/groups")
    def groups(request: Request, site: SiteOf, name: Annotated[str, Query(max_length=64)] = "") -> HTMLResponse:
        known = site.parts.releases.rollouts.groups()
        return _groups(request, site, name=name, chosen=list(known.get(name, ())))

    @app.post("/rollouts/groups")
    def set_group(
        request: Request,
        site: SiteOf,
        who: Who,
        name: Word = "",
        nodes: Nodes = [],  # noqa: B006 (FastAPI copies it)
    ) -> Response:
        try:
            site.parts.releases.rollouts.set_group(
                name.strip(), nodes, account=who.account_id, address=address_of(request)
            )
        except (ReleaseError, NotFoundError) as error:
            return _groups(request, site, name=name, chosen=nodes, status=422, problem=str(error))
        return RedirectResponse("/rollouts/groups", status_code=303)


def _add_locks(app: FastAPI) -> None:
    @app.get("/locks")
    def locks(request: Request, site: SiteOf) -> HTMLResponse:
        return _locks(request, site)

    @app.post("/locks")
    def lock(request: Request, site: SiteOf, who: Who, node: Word = "", until: Word = "") -> Response:
        try:
            moment = read_moment(until, site.parts.zone) if until else None
            site.parts.releases.rollouts.lock(node, moment, account=who.account_id, address=address_of(request))
        except (ReleaseError, NotFoundError) as error:
            return _locks(request, site, node=node, until=until, status=422, problem=str(error))
        return RedirectResponse("/locks", status_code=303)


def _groups(  # noqa: PLR0913 (the page's values)
    request: Request,
    site: Site,
    *,
    name: str = "",
    chosen: list[str] | None = None,
    status: int = 200,
    problem: str = "",
) -> HTMLResponse:
    return site.pages.page(
        request,
        "room_groups.html",
        status=status,
        groups=site.parts.releases.rollouts.groups(),
        group_names=group_names(site.parts.register.wards()),
        name=name,
        chosen=chosen or [],
        problem=problem,
        **_rooms(site),
    )


def _locks(  # noqa: PLR0913 (the page's values)
    request: Request, site: Site, *, node: str = "", until: str = "", status: int = 200, problem: str = ""
) -> HTMLResponse:
    return site.pages.page(
        request,
        "locks.html",
        status=status,
        locks=site.parts.releases.rollouts.locks(),
        node=node,
        until=until,
        earliest=_local(site),
        problem=problem,
        **_rooms(site),
    )


def _rooms(site: Site) -> dict[str, Any]:
    return {"rooms": [each.room.node for each in reading.rooms(site.parts.database)], "zone": site.parts.zone}


def _local(site: Site) -> str:
    """Return the present minute as a form writes it, in the site's time."""
    now: datetime = site.parts.clock.now()
    return now.astimezone(site.parts.zone).strftime("%Y-%m-%dT%H:%M")
