"""Routes of the caseload, of people's stories and of the utterances behind every figure. Reads are written down."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from forge_hub.access import SignedIn, audit
from forge_hub.errors import NotFoundError
from forge_hub.mind import evidence, figures
from forge_hub.mind.caseload import READ, caseload, last_look
from forge_hub.mind.evidence import PAGE, Behind, Wanted
from forge_hub.mind.figures import Span
from forge_hub.records import reading
from forge_hub.web.charts import Told, bars_of, course_of, spark_of, told_of
from forge_hub.web.evidence_view import Said, accounts_in, said_of
from forge_hub.web.findings import form_view
from forge_hub.web.mind_wording import FRAMEWORK_WORDS, words_of
from forge_hub.web.site import Site, SiteOf, Who
from forge_hub.web.story_view import (
    circumplex_of,
    hypotheses,
    label_rows,
    methods_of,
    note_lines,
    together_of,
    turns_of,
)

NEWEST_COLUMNS = 12
"""Sessions in the tables of labels. Ours: as many as fit beside each other; older ones are in the table of sessions."""

Page = Annotated[int, Query(ge=1, le=100_000)]
Label = Annotated[str | None, Query(max_length=60)]
Moment = Annotated[datetime | None, Query()]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_story(app)
    _add_evidence(app)


def _add_story(app: FastAPI) -> None:
    @app.get("/people")
    def people(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        note(site, who, "people.list", site.parts.site)
        cases = caseload(site.parts.database, who.account_id, site.access.assignments.people_of(who.account_id))
        trends = {each.pseudonym: spark_of([(mood.at, mood.valence) for mood in each.trend]) for each in cases}
        return site.pages.page(request, "people.html", cases=cases, trends=trends)

    @app.get("/people/{pseudonym}")
    def person(request: Request, pseudonym: str, site: SiteOf, who: Who) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        database = site.parts.database
        record = reading.person_with_forms(database, pseudonym)
        looked_at = last_look(database, who.account_id, pseudonym)
        note(site, who, READ, pseudonym, pseudonym)
        told = told_sessions(site, pseudonym, looked_at)
        counts = figures.label_counts(database, pseudonym)
        waiting, _ = evidence.to_review(database, pseudonym, Wanted())
        forms = [form_view(each, site.parts.forms) for each in record.forms]
        newest = told[-NEWEST_COLUMNS:]
        return site.pages.page(
            request,
            "person.html",
            person=record.person,
            looked_at=looked_at,
            waiting=waiting,
            told=told,
            newest=newest,
            course=course_of(told, forms),
            bars=bars_of(told),
            emotions=label_rows(counts, newest, "emotion"),
            distortions=label_rows(counts, newest, "distortion"),
            together=together_of(figures.correlations(database, pseudonym)),
            hypotheses=hypotheses(counts, figures.profile(database, pseudonym)),
            methods=methods_of(figures.methods(database, [pseudonym])),
            notes=note_lines(evidence.notes(database, pseudonym)),
            forms=forms,
        )

    @app.get("/people/{pseudonym}/circumplex.json")
    def circumplex(pseudonym: str, site: SiteOf, who: Who) -> JSONResponse:
        site.access.assignments.check(who, pseudonym)
        note(site, who, READ, pseudonym, pseudonym)
        found = figures.readings(site.parts.database, pseudonym)
        points = [
            {
                "id": each.utterance,
                "session": each.session,
                "at": each.at.isoformat(),
                "text": each.text[:160],
                "valence": each.valence,
                "arousal": each.arousal,
                "confidence": each.confidence,
            }
            for each in found
        ]
        return JSONResponse({"points": points, "sessions": circumplex_of(told_sessions(site, pseudonym, None))})


def _add_evidence(app: FastAPI) -> None:
    @app.get("/people/{pseudonym}/utterances")
    def utterances(  # noqa: PLR0913 (what an address may ask for)
        request: Request,
        pseudonym: str,
        site: SiteOf,
        who: Who,
        *,
        framework: Label = None,
        label: Label = None,
        session: Label = None,
        since: Moment = None,
        until: Moment = None,
        page: Page = 1,
    ) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        wanted = Wanted(span_of(since, until, session), framework, label)
        note(site, who, "utterances.read", pseudonym, pseudonym)
        behind = evidence.behind(site.parts.database, pseudonym, wanted, page)
        return site.pages.page(
            request,
            "utterances.html",
            pseudonym=pseudonym,
            wanted=wanted,
            label_words=words_of(label) if label else "",
            frameworks=FRAMEWORK_WORDS,
            said=said_in(site, behind),
            total=behind.total,
            **pages_of(request, behind.total, page),
        )

    @app.get("/people/{pseudonym}/sessions/{session_id}")
    def session(  # noqa: PLR0913 (what an address may ask for)
        request: Request, pseudonym: str, session_id: str, site: SiteOf, who: Who, page: Page = 1
    ) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        found = evidence.session_of(site.parts.database, pseudonym, session_id)
        note(site, who, "session.read", session_id, pseudonym)
        wanted = Wanted(Span(session=session_id))
        behind = evidence.behind(site.parts.database, pseudonym, wanted, page)
        told = told_sessions(site, pseudonym, None)
        place = next((number for number, each in enumerate(told) if each.session.id == session_id), 0)
        waiting, _ = evidence.to_review(site.parts.database, pseudonym, wanted)
        return site.pages.page(
            request,
            "session-story.html",
            pseudonym=pseudonym,
            session=found,
            told=told[place] if told else None,
            before=told[place - 1] if place else None,
            after=told[place + 1] if place + 1 < len(told) else None,
            waiting=waiting,
            said=said_in(site, behind),
            total=behind.total,
            **pages_of(request, behind.total, page),
        )

    @app.get("/people/{pseudonym}/utterances/{utterance_id}")
    def utterance(request: Request, pseudonym: str, utterance_id: str, site: SiteOf, who: Who) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        found = reading.utterance(site.parts.database, utterance_id)
        if found.subject != pseudonym:
            raise NotFoundError("there is no such utterance of this person")
        note(site, who, "utterance.read", utterance_id, pseudonym)
        about = evidence.about(site.parts.database, [utterance_id])
        return site.pages.page(
            request,
            "utterance.html",
            pseudonym=pseudonym,
            said=said_in(site, Behind(1, [found], about))[0],
        )


def span_of(since: datetime | None, until: datetime | None, session: str | None) -> Span:
    """Return a span of what an address says; a time without a zone is UTC."""
    return Span(_aware(since), _aware(until), session or None)


def told_sessions(site: Site, pseudonym: str, looked_at: datetime | None) -> list[Told]:
    """Return what a person's sessions amount to, with their turning points."""
    sessions = figures.sessions(site.parts.database, pseudonym)
    found = figures.readings(site.parts.database, pseudonym)
    plain = told_of(sessions, found, looked_at, {})
    turns = turns_of(plain, pseudonym)
    return told_of(sessions, found, looked_at, turns) if turns else plain


def said_in(site: Site, behind: Behind) -> list[Said]:
    """Return utterances with their reasons and the names of whoever has decided something about them."""
    names = reading.usernames(site.parts.database, accounts_in(behind.said, behind.inferences))
    return [said_of(each, behind.inferences.get(each.id, ()), names) for each in behind.said]


def pages_of(request: Request, total: int, page: int, size: int = PAGE) -> Mapping[str, Any]:
    """Return a list's place in its pages, and the addresses of the ones beside it."""
    last = max(1, -(-total // size))
    url = request.url

    def at(number: int) -> str:
        return f"{url.path}?{url.include_query_params(page=number).query}"

    return {
        "page": page,
        "last_page": last,
        "earlier": at(page - 1) if page > 1 else "",
        "later": at(page + 1) if page < last else "",
    }


def note(site: Site, who: SignedIn, action: str, object_id: str, subject: str | None = None) -> None:
    """Write down that somebody reads something."""
    audit.note(site.parts.database, site.parts.clock.now(), who.account_id, action, object_id, subject=subject)


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
