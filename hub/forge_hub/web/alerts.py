"""Routes of the alert board."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from forge_hub.access import SignedIn
from forge_hub.alerts.board import TAKEN_SHOWN
from forge_hub.alerts.burden import read_burden
from forge_hub.records import reading
from forge_hub.records.schema import Alert
from forge_hub.web.answers import answered
from forge_hub.web.site import Site, SiteOf, Who
from forge_hub.web.wording import AlertView, view_of

TAKEN_SHOWN_FOR = timedelta(hours=12)
"""Taken alerts stay on the board for one shift, so that whoever comes on duty sees what has happened."""


def add_routes(app: FastAPI) -> None:
    """Add the board, its stream and the answer to an alert."""

    @app.get("/")
    def board(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        burdens = read_burden(site.parts.database, site.parts.clock.now(), site.parts.zone)
        return site.pages.page(request, "alerts.html", burdens=burdens, **_values(site, who))

    @app.get("/alerts/stream")
    async def stream(request: Request, site: SiteOf, who: Who) -> StreamingResponse:
        token = request.cookies.get(site.cookie)

        def render() -> str | None:
            now_in = site.access.signed_in(token)
            return site.pages.fragment("board.html", who=now_in, **_values(site, now_in)) if now_in else None

        events: AsyncIterator[str] = site.streams.board(site.parts.board, render, who.account_id)
        # Buffering proxies (nginx reads this header) would hold alerts back.
        return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    @app.post("/alerts/{alert_id}/accept")
    async def accept(request: Request, alert_id: str, site: SiteOf, who: Who) -> Response:
        await site.parts.board.accept(alert_id, who.account_id)
        return answered(request)


def _values(site: Site, who: SignedIn) -> dict[str, Any]:
    parts = site.parts
    since = parts.clock.now() - TAKEN_SHOWN_FOR
    alerts = [each for each in parts.board.current() if each.state == "open" or _last(each) > since]
    names = reading.usernames(parts.database, {each.accepted_by for each in alerts if each.accepted_by})
    views = [view_of(each, parts.forms, names, clinical=who.role != "admin") for each in alerts]
    open_ones: list[AlertView] = [view for view in views if view.is_open]
    people = {each.id: each.subject for each in alerts} if who.role == "clinician" else {}
    return {
        "open": open_ones,
        "taken": [view for view in views if not view.is_open],
        "taken_shown": TAKEN_SHOWN,
        "people": people,
        "any_room": bool(views) or reading.any_room(parts.database),
    }


def _last(alert: Alert) -> datetime:
    return alert.accepted_at or alert.closed_at or alert.raised_at
