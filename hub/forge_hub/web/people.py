"""Routes of people's records, for clinicians. Whatever is read is written down first."""

from collections.abc import Sequence

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse

from forge_hub.access import SignedIn, audit
from forge_hub.errors import NotFoundError
from forge_hub.graph.errors import GraphError
from forge_hub.graph.ports import Fusion
from forge_hub.records import reading
from forge_hub.records.reading import RecordedSession
from forge_hub.web.findings import UtteranceView, elements_of, form_view, relations_of, utterance_view
from forge_hub.web.site import Site, SiteOf, Who
from forge_shared.logs import get_logger

log = get_logger()


def add_routes(app: FastAPI) -> None:
    """Add the routes."""

    @app.get("/people")
    def people(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        _note(site, who, "people.list", site.parts.site)
        mine = site.access.assignments.people_of(who.account_id)
        return site.pages.page(request, "people.html", people=reading.people(site.parts.database, mine))

    @app.get("/people/{pseudonym}")
    def person(request: Request, pseudonym: str, site: SiteOf, who: Who) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        record = reading.person(site.parts.database, pseudonym)
        _note(site, who, "person.read", pseudonym, pseudonym)
        sessions = [(each.session, _views(site, each)) for each in record.sessions]
        said = [view for _, views in sessions for view in views]
        return site.pages.page(
            request,
            "person.html",
            person=record.person,
            forms=[form_view(each, site.parts.forms) for each in record.forms],
            sessions=sessions,
            placed=[view for view in said if view.valence is not None],
        )

    @app.get("/people/{pseudonym}/circumplex.json")
    def circumplex(pseudonym: str, site: SiteOf, who: Who) -> JSONResponse:
        site.access.assignments.check(who, pseudonym)
        record = reading.person(site.parts.database, pseudonym)
        _note(site, who, "person.read", pseudonym, pseudonym)
        points = [
            {"number": view.number, "text": view.text, "valence": view.valence, "arousal": view.arousal}
            for each in record.sessions
            for view in _views(site, each)
            if view.valence is not None
        ]
        return JSONResponse({"points": points})

    @app.get("/people/{pseudonym}/utterances/{utterance_id}")
    def utterance(request: Request, pseudonym: str, utterance_id: str, site: SiteOf, who: Who) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        found = reading.utterance(site.parts.database, utterance_id)
        if found.subject != pseudonym:
            raise NotFoundError("there is no such utterance of this person")
        _note(site, who, "utterance.read", utterance_id, pseudonym)
        graph = site.parts.graph.neighbourhood(utterance_id)
        return site.pages.page(
            request,
            "utterance.html",
            pseudonym=pseudonym,
            said=utterance_view(found, 1, _fusion(site, utterance_id)),
            relations=relations_of(graph),
        )

    @app.get("/utterances/{utterance_id}/graph.json")
    def graph(utterance_id: str, site: SiteOf, who: Who) -> JSONResponse:
        subject = reading.utterance(site.parts.database, utterance_id).subject
        site.access.assignments.check(who, subject)
        _note(site, who, "utterance.read", utterance_id, subject)
        return JSONResponse(elements_of(site.parts.graph.neighbourhood(utterance_id), utterance_id))


def _views(site: Site, recorded: RecordedSession) -> Sequence[UtteranceView]:
    return [
        utterance_view(said, number, _fusion(site, said.id)) for number, said in enumerate(recorded.utterances, start=1)
    ]


def _fusion(site: Site, utterance_id: str) -> Fusion | None:
    try:
        return site.parts.graph.fusion(utterance_id)
    except GraphError as error:
        # The record stands without its tags; a page that shows none of it would help nobody.
        log.warning("graph.not-read", code=error.code)
        return None


def _note(site: Site, who: SignedIn, action: str, object_id: str, subject: str | None = None) -> None:
    audit.note(site.parts.database, site.parts.clock.now(), who.account_id, action, object_id, subject=subject)
