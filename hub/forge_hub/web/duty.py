"""Routes of the roster: who is on duty, signing on and off, shifts, plans, and messages that did not get through."""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.alerts.duties import LONGEST_SECONDS, SHORTEST_SECONDS, Roster
from forge_hub.alerts.escalation import DEFAULT_PLANS, Plan
from forge_hub.web.site import Site, SiteOf, Who

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEVEL_WORDS = {1: "first, at once", 2: "second, when the first does not accept", 3: "third, before everyone is called"}

Text = Annotated[str, Form(max_length=60)]
Seconds = Annotated[int, Form(ge=SHORTEST_SECONDS, le=LONGEST_SECONDS)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""

    @app.get("/duty")
    def duty(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        roster = _roster(site).page()
        mine = [entry for entry in roster.on_duty if entry[3].account == who.account_id]
        covered = {entry[3].ward for entry in roster.on_duty}
        return site.pages.page(
            request,
            "duty.html",
            roster=roster,
            mine=mine,
            uncovered=[ward.name for ward in roster.wards if ward.id not in covered],
            levels=LEVEL_WORDS,
            days=DAYS,
            defaults=DEFAULT_PLANS,
            shortest=SHORTEST_SECONDS,
            longest=LONGEST_SECONDS,
        )

    @app.post("/duty/on")
    async def sign_on(site: SiteOf, who: Who, ward: Text, level: Annotated[int, Form()]) -> Response:
        await asyncio.to_thread(_roster(site).sign_on, who.account_id, ward, level)
        # Open pages show who answers, and an alert may ring for somebody else now.
        site.parts.board.changed()
        return _back()

    @app.post("/duty/off")
    async def sign_off(site: SiteOf, who: Who) -> Response:
        await asyncio.to_thread(_roster(site).sign_off, who.account_id)
        site.parts.board.changed()
        return _back()

    @app.post("/duty/shifts")
    def add_shift(  # noqa: PLR0913 (a form's fields)
        site: SiteOf, who: Who, ward: Text, name: Text, starts: Text, ends: Text, weekdays: Annotated[list[int], Form()]
    ) -> Response:
        _roster(site).add_shift(who.account_id, ward=ward, name=name, starts=starts, ends=ends, weekdays=weekdays)
        return _back()

    @app.post("/duty/plans")
    def set_plan(  # noqa: PLR0913 (a form's fields)
        site: SiteOf,
        who: Who,
        priority: Text,
        second: Seconds,
        third: Seconds,
        everyone: Seconds,
        acceptance: Seconds,
        ward: Text = "",
        shift: Text = "",
    ) -> Response:
        ward_of_shift, _, shift_id = shift.rpartition("|")
        _roster(site).set_plan(
            who.account_id,
            ward=ward or ward_of_shift or None,
            shift=shift_id or None,
            priority=priority,
            plan=Plan(second, third, everyone, acceptance),
        )
        return _back()


def _roster(site: Site) -> Roster:
    return Roster(site.parts.database, site.parts.clock, site.parts.zone)


def _back() -> Response:
    return RedirectResponse("/duty", status_code=303)
