"""Routes of who looks after whom, of emergencies, and of their review."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.access import SignedIn, StatementError, is_closed
from forge_hub.access.assignments import REASONS, STATEMENT_MAX_LENGTH, VERDICTS, Reason, Verdict
from forge_hub.errors import NotFoundError
from forge_hub.records import reading
from forge_hub.web.guard import address_of
from forge_hub.web.site import Site, SiteOf, Who

HOURS_MAX = 24 * 31
"""The longest assignment with an end. Ours: a month of leave."""


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_assignments(app)
    _add_emergencies(app)


def _add_assignments(app: FastAPI) -> None:
    @app.get("/assignments")
    def assignments(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        return _page(request, site, who)

    @app.post("/assignments")
    def assign(  # noqa: PLR0913 (a form's fields)
        request: Request,
        site: SiteOf,
        who: Who,
        subject: Annotated[str, Form(max_length=200)],
        username: Annotated[str, Form(max_length=64)],
        hours: Annotated[int | None, Form(ge=1, le=HOURS_MAX)] = None,
    ) -> Response:
        try:
            site.access.assignments.assign(who, username, subject, hours=hours)
        except NotFoundError:
            return _page(request, site, who, status=422, problem="There is no such clinician or person.")
        return RedirectResponse("/assignments", status_code=303)

    @app.post("/assignments/{assignment_id}/end")
    def end(assignment_id: str, site: SiteOf, who: Who) -> Response:
        site.access.assignments.end(who, assignment_id)
        return RedirectResponse("/assignments", status_code=303)


def _add_emergencies(app: FastAPI) -> None:
    @app.get("/people/{pseudonym}/emergency")
    def emergency(request: Request, pseudonym: str, site: SiteOf) -> HTMLResponse:
        return _emergency_page(request, site, pseudonym)

    @app.post("/people/{pseudonym}/emergency")
    def begin(  # noqa: PLR0913 (a form's fields)
        request: Request,
        pseudonym: str,
        site: SiteOf,
        who: Who,
        reason: Annotated[Reason, Form()],
        statement: Annotated[str, Form(max_length=4 * STATEMENT_MAX_LENGTH)],
    ) -> Response:
        try:
            site.access.assignments.begin_emergency(who, pseudonym, reason, statement, address=address_of(request))
        except StatementError as error:
            return _emergency_page(request, site, pseudonym, status=422, problem=str(error))
        return RedirectResponse(f"/people/{pseudonym}", status_code=303)

    @app.get("/reviews")
    def reviews(request: Request, site: SiteOf) -> HTMLResponse:
        return site.pages.page(request, "reviews.html", queue=site.access.assignments.to_review(), verdicts=VERDICTS)

    @app.post("/reviews/{emergency_id}")
    def review(emergency_id: str, site: SiteOf, who: Who, verdict: Annotated[Verdict, Form()]) -> Response:
        site.access.assignments.review(who, emergency_id, verdict)
        return RedirectResponse("/reviews", status_code=303)


def _page(request: Request, site: Site, who: SignedIn, *, status: int = 200, problem: str = "") -> HTMLResponse:
    everyone = reading.pseudonyms(site.parts.database)
    mine = None if who.role == "admin" else site.access.assignments.people_of(who.account_id)
    clinicians = [
        each for each in reading.accounts(site.parts.database) if each.role == "clinician" and not is_closed(each)
    ]
    return site.pages.page(
        request,
        "assignments.html",
        status=status,
        problem=problem,
        people=[subject for subject in everyone if mine is None or subject in mine],
        clinicians=[each.username for each in clinicians],
        relations=site.access.assignments.relations(mine),
        hours_max=HOURS_MAX,
    )


def _emergency_page(
    request: Request, site: Site, pseudonym: str, *, status: int = 200, problem: str = ""
) -> HTMLResponse:
    return site.pages.page(
        request,
        "emergency.html",
        status=status,
        problem=problem,
        subject=pseudonym,
        reasons=REASONS,
        longest=STATEMENT_MAX_LENGTH,
    )
