"""Routes that say how far the alarms of the cameras can be trusted."""

from dataclasses import asdict
from datetime import UTC
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from forge_hub.alerts.trust import RoomTrust, Trust
from forge_hub.alerts.trust_reading import DAYS, MOST_DAYS, read_trust
from forge_hub.web.camera_wording import KINDS
from forge_hub.web.site import SiteOf

Days = Annotated[int, Query(ge=1, le=MOST_DAYS)]
PERIODS = (1, DAYS, MOST_DAYS)


def add_routes(app: FastAPI) -> None:
    """Add the page and the same as JSON."""

    @app.get("/trust")
    def page(request: Request, site: SiteOf, days: Days = DAYS) -> HTMLResponse:
        parts = site.parts
        since, rooms = read_trust(parts.database, parts.clock.now(), parts.zone, days)
        return site.pages.page(request, "trust.html", rooms=rooms, since=since, days=days, periods=PERIODS, kinds=KINDS)

    @app.get("/trust.json")
    def as_json(site: SiteOf, days: Days = DAYS) -> JSONResponse:
        now = site.parts.clock.now()
        since, rooms = read_trust(site.parts.database, now, site.parts.zone, days)
        return JSONResponse(
            {
                "since": since.astimezone(UTC).isoformat(),
                "until": now.astimezone(UTC).isoformat(),
                "rooms": [_room(room) for room in rooms],
            }
        )


def _room(room: RoomTrust) -> dict[str, Any]:
    return {
        "node": room.node,
        **_trust(room.total),
        "days": [{"day": day.isoformat(), **_trust(of_day)} for day, of_day in room.days],
    }


def _trust(trust: Trust) -> dict[str, Any]:
    """Return the figures; null is what is not known."""
    return {**asdict(trust), "false_per_hour_is_at_least": trust.unmarked > 0}
