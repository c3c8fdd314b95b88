"""The review sheet: the rows of a session, which a clinician puts right. What was filed first stays."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, get_args

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from forge_hub.access import SignedIn, audit
from forge_hub.errors import NotFoundError
from forge_hub.passes.readers.text import clean
from forge_hub.records import reading
from forge_hub.records.corrections import Correction, last_corrections, rows_of
from forge_hub.records.schema import Utterance
from forge_hub.web.parts import Parts
from forge_hub.web.site import Site, SiteOf, Who
from forge_language.redaction import redact
from forge_shared.events import Speaker, UtteranceCorrected

ROWS_ON_PAGE = 100
"""Ours: a page that is read and not searched; an hour of talk has some five."""
FILED_WITHIN_SECONDS = 3.0
"""How long an answer waits for the tables to follow the log. Ours: they do within a tenth of a second."""
LOOK_SECONDS = 0.05
SPEAKERS: tuple[Speaker, ...] = get_args(Speaker)

_turn = threading.Lock()
"""Between the look whether somebody else was faster, and the correction itself."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a clinician entered, as it comes back to the page where it was not saved.

    Attributes:
        utterance: The row.
        seen: Id of the last correction that the page showed; empty: none.
        problem: Why it was not saved: ``conflict`` or ``invalid``; empty while it is being edited.
    """

    utterance: str
    speaker: str
    question: str
    text: str
    seen: str
    problem: str = ""


def add_routes(app: FastAPI) -> None:
    """Add the page and the correction."""

    @app.get("/people/{pseudonym}/sessions/{session_id}/rows")
    def sheet(  # noqa: PLR0913 (a page's parameters)
        request: Request, pseudonym: str, session_id: str, site: SiteOf, who: Who, edit: str = "", page: int = 1
    ) -> HTMLResponse:
        rows = _rows(site, who, pseudonym, session_id)
        seen = last_corrections(site.parts.database, pseudonym)
        row = next((each for each in rows if each.id == edit), None)
        draft = None if row is None else _draft(row, _event_of(seen.get(row.id)))
        return _page(request, site, rows, pseudonym, session_id, page, draft)

    @app.post("/people/{pseudonym}/sessions/{session_id}/rows/{utterance_id}")
    async def correct(  # noqa: PLR0913 (a form's fields)
        request: Request,
        pseudonym: str,
        session_id: str,
        utterance_id: str,
        site: SiteOf,
        who: Who,
        *,
        speaker: Annotated[str, Form(max_length=20)] = "",
        question: Annotated[str, Form(max_length=20_000)] = "",
        text: Annotated[str, Form(max_length=20_000)] = "",
        seen: Annotated[str, Form(max_length=36)] = "",
    ) -> Response:
        rows = await asyncio.to_thread(_rows, site, who, pseudonym, session_id)
        place = next((number for number, row in enumerate(rows) if row.id == utterance_id), None)
        if place is None:
            raise NotFoundError("there is no such row in this session")
        draft = Draft(utterance_id, speaker, question, text, seen)
        page = 1 + place // ROWS_ON_PAGE
        problem = await asyncio.to_thread(_save, site.parts, who, pseudonym, session_id, draft)
        if problem is not None:
            rows = await asyncio.to_thread(rows_of, site.parts.database, pseudonym, session_id)
            refused = Draft(utterance_id, speaker, question, text, problem[1], problem[0])
            status = 409 if problem[0] == "conflict" else 400
            return await asyncio.to_thread(
                _page, request, site, rows, pseudonym, session_id, page, refused, status=status
            )
        await _filed(site.parts, pseudonym, utterance_id)
        back = f"/people/{pseudonym}/sessions/{session_id}/rows?page={page}#row-{utterance_id}"
        return RedirectResponse(back, status_code=303)


def _rows(site: Site, who: SignedIn, pseudonym: str, session_id: str) -> Sequence[Utterance]:
    site.access.assignments.check(who, pseudonym)
    rows = rows_of(site.parts.database, pseudonym, session_id)
    if not rows:
        raise NotFoundError("nothing was said in such a session of this person")
    now = site.parts.clock.now()
    audit.note(site.parts.database, now, who.account_id, "session.read", session_id, subject=pseudonym)
    return rows


def _event_of(correction: Correction | None) -> str:
    return "" if correction is None else correction.event


def _draft(row: Utterance, seen: str) -> Draft:
    return Draft(row.id, row.speaker or "unknown", row.question or "", row.text, seen)


def _save(parts: Parts, who: SignedIn, pseudonym: str, session_id: str, draft: Draft) -> tuple[str, str] | None:
    """Log a correction; return why it is not, and the last correction that there is."""
    try:
        written = UtteranceCorrected(
            utterance=draft.utterance,
            session=session_id,
            text=clean(draft.text),
            question=clean(draft.question) or None,
            speaker=draft.speaker,
            by=who.account_id,
        )
        # What a clinician writes may name somebody, as what the person said did.
        question = redact(written.question).text if written.question is not None else None
        data = UtteranceCorrected(**{**written.model_dump(), "text": redact(written.text).text, "question": question})
    except ValidationError:
        return "invalid", draft.seen
    with _turn:
        last = _event_of(last_corrections(parts.database, pseudonym).get(draft.utterance))
        if last != draft.seen:
            return "conflict", last
        parts.journal.append(data, pseudonym)
    now = parts.clock.now()
    audit.note(parts.database, now, who.account_id, "utterance.correct", draft.utterance, subject=pseudonym)
    return None


async def _filed(parts: Parts, pseudonym: str, utterance_id: str) -> None:
    """Wait until the tables hold the last correction, so that the page shows it; give up after a while."""
    for _ in range(int(FILED_WITHIN_SECONDS / LOOK_SECONDS)):
        row = await asyncio.to_thread(reading.utterance, parts.database, utterance_id)
        last = (await asyncio.to_thread(last_corrections, parts.database, pseudonym)).get(utterance_id)
        if last is None or (row.corrected_at is not None and row.corrected_at >= last.at):
            return
        await asyncio.sleep(LOOK_SECONDS)


def _page(  # noqa: PLR0913 (what the page shows)
    request: Request,
    site: Site,
    rows: Sequence[Utterance],
    pseudonym: str,
    session_id: str,
    page: int,
    draft: Draft | None,
    *,
    status: int = 200,
) -> HTMLResponse:
    if draft is not None:
        place = next(number for number, row in enumerate(rows) if row.id == draft.utterance)
        page = 1 + place // ROWS_ON_PAGE
    pages = max(1, -(-len(rows) // ROWS_ON_PAGE))
    page = min(max(page, 1), pages)
    shown = rows[(page - 1) * ROWS_ON_PAGE : page * ROWS_ON_PAGE]
    names = reading.usernames(site.parts.database, {row.corrected_by for row in shown if row.corrected_by})
    return site.pages.page(
        request,
        "sheet.html",
        status=status,
        pseudonym=pseudonym,
        session=session_id,
        rows=list(enumerate(shown, start=1 + (page - 1) * ROWS_ON_PAGE)),
        total=len(rows),
        page=page,
        sheets=pages,
        draft=draft,
        speakers=SPEAKERS,
        names=names,
    )
