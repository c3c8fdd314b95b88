"""Routes of the rooms and of recorded sessions in them."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.records import reading
from forge_hub.stays.consents import SESSION
from forge_hub.web.site import SiteOf, Who
from forge_hub.web.versions import spoken

MAY_SWITCH = frozenset({"staff", "clinician"})


def add_routes(app: FastAPI) -> None:
    """Add the list of rooms and the page that starts and ends a recorded session."""

    @app.get("/rooms")
    def rooms(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        return site.pages.page(
            request,
            "rooms.html",
            rooms=reading.rooms(site.parts.database),
            presences=site.parts.register.presences(),
            may_record=who.role == "clinician",
            may_switch=who.role in MAY_SWITCH,
            spoken={node: spoken(protocol) for node, protocol in site.parts.upkeep.protocols().items()},
        )

    @app.post("/rooms/{node}/presence")
    async def presence(
        node: str,
        site: SiteOf,
        who: Who,
        *,
        shared: Annotated[str, Form(max_length=10)] = "",
        visitors: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        await asyncio.to_thread(reading.room, site.parts.database, node)
        await asyncio.to_thread(
            site.parts.register.set_presence,
            node,
            shared=shared == "yes",
            visitors=visitors == "yes",
            account=who.account_id,
        )
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse(f"/rooms#{node}", status_code=303)

    @app.get("/rooms/{node}/session")
    def session(request: Request, node: str, site: SiteOf) -> HTMLResponse:
        return site.pages.page(request, "session.html", state=reading.room(site.parts.database, node), missing=False)

    @app.post("/rooms/{node}/session/start")
    async def start(
        request: Request, node: str, site: SiteOf, who: Who, *, consent: Annotated[str, Form()] = ""
    ) -> Response:
        state = await asyncio.to_thread(reading.room, site.parts.database, node)
        if consent != "given" or state.pseudonym is None:
            return site.pages.page(request, "session.html", status=422, state=state, missing=True)
        await asyncio.to_thread(site.access.assignments.claim, who, state.pseudonym)
        await asyncio.to_thread(site.parts.consents.grant, state.pseudonym, SESSION, who.account_id)
        # The room refuses a session that it does not know to be consented to.
        await site.parts.twins.refresh(who.account_id)
        await site.parts.rooms.start_session(node, state.pseudonym, who.account_id)
        return RedirectResponse(f"/rooms#{node}", status_code=303)

    @app.post("/rooms/{node}/session/end")
    async def end(node: str, site: SiteOf) -> Response:
        state = await asyncio.to_thread(reading.room, site.parts.database, node)
        await site.parts.rooms.end_session(state.room.node)
        return RedirectResponse(f"/rooms#{node}", status_code=303)
