"""The route by which staff set what the camera watches for in a stay."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from forge_hub.web.site import SiteOf, Who
from forge_hub.web.stays import stay_page
from forge_shared.events import DangerKind
from forge_shared.plan import Watch

Text = Annotated[str, Form(max_length=20)]
LocalTime = Annotated[str, Form(pattern=r"^([0-2][0-9]:[0-5][0-9](:[0-5][0-9])?)?$")]
"""As browsers send a time of day; without a zone, since the room's own holds."""


def add_routes(app: FastAPI) -> None:
    """Add the route."""

    @app.post("/stays/{stay_id}/watch")
    async def set_watch(  # noqa: PLR0913 (a form's fields)
        request: Request,
        stay_id: str,
        site: SiteOf,
        who: Who,
        *,
        kind: Annotated[list[DangerKind] | None, Form()] = None,
        night_begins: LocalTime = "",
        night_ends: LocalTime = "",
        absent_minutes: Text = "",
        immobile_minutes: Text = "",
        visitor_minutes: Text = "",
        as_any_room: Text = "",
    ) -> Response:
        await asyncio.to_thread(site.parts.register.stay, stay_id)
        watch = None
        if as_any_room != "yes":
            try:
                watch = Watch.model_validate(
                    {
                        # A fall is watched for wherever a camera is.
                        "kinds": tuple(dict.fromkeys(("fall", *(kind or ())))),
                        "night": {"begins": night_begins, "ends": night_ends},
                        "absent_minutes": absent_minutes,
                        "immobile_minutes": immobile_minutes,
                        "visitor_minutes": visitor_minutes,
                    }
                )
            except ValidationError:
                problem = "Times are hours and minutes; minutes are more than 0 and at most 1440."
                return await asyncio.to_thread(stay_page, request, site, stay_id, problem=problem)
        await asyncio.to_thread(site.parts.register.set_watch, stay_id, watch, who.account_id)
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse(f"/stays/{stay_id}#watch", status_code=303)
