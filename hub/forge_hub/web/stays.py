"""Routes of stays: who has which bed, admission, transfer, discharge, consents, and who a person is."""

import asyncio
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import ValidationError

from forge_hub.access import audit
from forge_hub.errors import NotFoundError, StayError
from forge_hub.records import reading
from forge_hub.stays.consents import as_fhir
from forge_hub.stays.identities import Identity
from forge_hub.web.site import Site, SiteOf, Who
from forge_shared.events import DangerKind
from forge_shared.plan import Watch
from forge_shared.wire import PURPOSES, Purpose

Text = Annotated[str, Form(max_length=200)]

PURPOSE_WORDS: dict[Purpose, tuple[str, str]] = {
    "voice": ("Voice", "The room listens for its wake word and for requests and answers."),
    "recorded-session": ("Recorded sessions", "What is said in a session that is on is written down, without names."),
    "emotion-inference": ("Inference of feelings", "The hub infers patterns and mood from what was written down."),
    "camera": ("Camera", "The room looks for falls. No picture is kept."),
    "companion": ("Companion", "The room offers to talk and to do exercises."),
    "research": ("Research", "Records without names may be used for research."),
}

WATCH_WORDS: dict[DangerKind, str] = {
    "immobile": "Does not move at all",
    "bed_exit": "Gets out of bed at night",
    "bed_edge": "Sits at the edge of the bed at night",
    "left_room": "Leaves the room, by day too",
    "absent_long": "Stays away from the room",
    "extra_person": "Somebody else in the room at night",
}
"""What can be chosen; a fall is watched for wherever a camera is."""


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_lists(app)
    _add_moves(app)
    _add_consents(app)


def _add_lists(app: FastAPI) -> None:
    @app.get("/stays")
    def stays(request: Request, site: SiteOf) -> HTMLResponse:
        register = site.parts.register
        return site.pages.page(request, "stays.html", beds=register.beds(), ended=register.ended())

    @app.get("/beds/{bed_id}/admission")
    def admission(request: Request, bed_id: str, site: SiteOf) -> HTMLResponse:
        return _admission(request, site, bed_id)

    @app.get("/stays/{stay_id}")
    def stay(request: Request, stay_id: str, site: SiteOf) -> HTMLResponse:
        return stay_page(request, site, stay_id)

    @app.post("/stays/{stay_id}/name")
    def name(request: Request, stay_id: str, site: SiteOf, who: Who) -> HTMLResponse:
        site.parts.register.stay(stay_id)
        return stay_page(request, site, stay_id, identity=site.parts.identities.show(stay_id, who))


def _add_moves(app: FastAPI) -> None:
    @app.post("/beds/{bed_id}/admission")
    async def admit(  # noqa: PLR0913 (a form's fields)
        request: Request,
        bed_id: str,
        site: SiteOf,
        who: Who,
        name: Text = "",
        record_number: Text = "",
        date_of_birth: Text = "",
        purpose: Annotated[list[Purpose] | None, Form()] = None,
    ) -> Response:
        identity = _identity(name, record_number, date_of_birth)
        if identity is None:
            return await asyncio.to_thread(
                _admission, request, site, bed_id, problem="A name, and a date as year-month-day if one is given."
            )
        try:
            stay = await asyncio.to_thread(site.parts.register.admit, bed_id, who.account_id)
        except StayError as refused:
            return await asyncio.to_thread(_admission, request, site, bed_id, problem=str(refused))
        for each in purpose or ():
            await asyncio.to_thread(site.parts.consents.grant, stay.pseudonym, each, who.account_id)
        await asyncio.to_thread(site.parts.identities.file, stay.id, identity, who)
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse(f"/stays/{stay.id}", status_code=303)

    @app.post("/stays/{stay_id}/identity")
    def identify(  # noqa: PLR0913 (a form's fields)
        request: Request,
        stay_id: str,
        site: SiteOf,
        who: Who,
        name: Text = "",
        record_number: Text = "",
        date_of_birth: Text = "",
    ) -> Response:
        site.parts.register.stay(stay_id)
        identity = _identity(name, record_number, date_of_birth)
        if identity is None:
            return stay_page(request, site, stay_id, problem="A name, and a date as year-month-day if one is given.")
        site.parts.identities.file(stay_id, identity, who)
        return RedirectResponse(f"/stays/{stay_id}", status_code=303)

    @app.post("/stays/{stay_id}/transfer")
    async def transfer(request: Request, stay_id: str, site: SiteOf, who: Who, bed: Text = "") -> Response:
        await asyncio.to_thread(site.parts.register.stay, stay_id)
        try:
            await asyncio.to_thread(site.parts.register.transfer, stay_id, bed, who.account_id)
        except (StayError, NotFoundError) as refused:
            return await asyncio.to_thread(stay_page, request, site, stay_id, problem=str(refused))
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse(f"/stays/{stay_id}", status_code=303)

    @app.post("/stays/{stay_id}/discharge")
    async def discharge(stay_id: str, site: SiteOf, who: Who) -> Response:
        await asyncio.to_thread(site.parts.register.stay, stay_id)
        await asyncio.to_thread(site.parts.register.discharge, stay_id, who.account_id)
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse(f"/stays/{stay_id}", status_code=303)


def _add_consents(app: FastAPI) -> None:
    @app.post("/stays/{stay_id}/consents/{purpose}/give")
    async def give(stay_id: str, purpose: Purpose, site: SiteOf, who: Who) -> Response:
        record = await asyncio.to_thread(site.parts.register.stay, stay_id)
        if record.stay.discharged_at is not None:
            raise StayError("this stay is over")
        await asyncio.to_thread(site.parts.consents.grant, record.stay.pseudonym, purpose, who.account_id)
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse(f"/stays/{stay_id}#consents", status_code=303)

    @app.post("/stays/{stay_id}/consents/{purpose}/withdraw")
    async def withdraw(stay_id: str, purpose: Purpose, site: SiteOf, who: Who) -> Response:
        record = await asyncio.to_thread(site.parts.register.stay, stay_id)
        await asyncio.to_thread(site.parts.consents.withdraw, record.stay.pseudonym, purpose, who.account_id)
        await site.parts.twins.refresh(who.account_id)
        return RedirectResponse(f"/stays/{stay_id}#consents", status_code=303)

    @app.get("/stays/{stay_id}/consents.json")
    def consents(stay_id: str, site: SiteOf, who: Who) -> JSONResponse:
        record = site.parts.register.stay(stay_id)
        audit.note(
            site.parts.database,
            site.parts.clock.now(),
            who.account_id,
            "consent.read",
            stay_id,
            subject=record.stay.pseudonym,
        )
        held = site.parts.consents.state(record.stay.pseudonym).values()
        entries = [{"resource": as_fhir(consent)} for consent in held if consent is not None]
        return JSONResponse({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _identity(name: str, record_number: str, date_of_birth: str) -> Identity | None:
    try:
        return Identity(name=name, record_number=record_number, date_of_birth=date_of_birth)
    except ValidationError:
        return None


def _admission(request: Request, site: Site, bed_id: str, *, problem: str = "") -> HTMLResponse:
    state = next((each for each in site.parts.register.beds() if each.bed.id == bed_id), None)
    if state is None:
        raise NotFoundError("there is no such bed")
    return site.pages.page(
        request,
        "admission.html",
        status=422 if problem else 200,
        state=state,
        purposes=PURPOSE_WORDS,
        problem=problem,
    )


def stay_page(
    request: Request, site: Site, stay_id: str, *, identity: Identity | None = None, problem: str = ""
) -> HTMLResponse:
    """Return the page of a stay; with a problem, what was asked for was not done."""
    parts = site.parts
    record = parts.register.stay(stay_id)
    values: dict[str, Any] = {"record": record, "identity": identity, "problem": problem}
    room = None if record.node is None else reading.find_room(parts.database, record.node)
    held = parts.consents.state(record.stay.pseudonym)
    return site.pages.page(
        request,
        "stay.html",
        status=422 if problem else 200,
        known=parts.identities.known(stay_id),
        room=room,
        free=[each for each in parts.register.beds() if each.stay is None],
        watch=Watch() if record.stay.watch is None else Watch.model_validate(record.stay.watch),
        watch_choices=WATCH_WORDS,
        consents=[(purpose, *PURPOSE_WORDS[purpose], held[purpose]) for purpose in PURPOSES],
        **values,
    )
