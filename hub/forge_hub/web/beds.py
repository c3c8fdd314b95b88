"""Routes of wards and beds, for admins: places only, never who lies in them."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.errors import StayError
from forge_hub.records import reading
from forge_hub.web.site import Site, SiteOf, Who

Text = Annotated[str, Form(max_length=200)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""

    @app.get("/beds")
    def beds(request: Request, site: SiteOf) -> HTMLResponse:
        return _page(request, site)

    @app.post("/wards")
    def ward(request: Request, site: SiteOf, who: Who, name: Text) -> Response:
        try:
            site.parts.register.add_ward(name, who.account_id)
        except StayError as refused:
            return _page(request, site, problem=str(refused))
        return RedirectResponse("/beds", status_code=303)

    @app.post("/beds")
    async def bed(  # noqa: PLR0913 (a form's fields)
        request: Request, site: SiteOf, who: Who, ward: Text, name: Text, node: Text = ""
    ) -> Response:
        try:
            await asyncio.to_thread(site.parts.register.add_bed, ward, name, node.strip(), who.account_id)
        except StayError as refused:
            return await asyncio.to_thread(_page, request, site, problem=str(refused))
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse("/beds", status_code=303)

    @app.post("/beds/{bed_id}/node")
    async def bind(request: Request, site: SiteOf, who: Who, bed_id: str, node: Text = "") -> Response:
        try:
            await asyncio.to_thread(site.parts.register.bind, bed_id, node.strip(), who.account_id)
        except StayError as refused:
            return await asyncio.to_thread(_page, request, site, problem=str(refused))
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse("/beds", status_code=303)


def _page(request: Request, site: Site, *, problem: str = "") -> HTMLResponse:
    return site.pages.page(
        request,
        "beds.html",
        status=422 if problem else 200,
        problem=problem,
        wards=site.parts.register.wards(),
        beds=[(each.bed, each.ward) for each in site.parts.register.beds()],
        nodes=[state.room.node for state in reading.rooms(site.parts.database)],
    )
