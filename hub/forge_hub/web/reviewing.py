"""Routes by which a clinician says whether an inference is right, wrong or something else, and takes that back."""

import time
from typing import Annotated, Literal

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from forge_hub.errors import AnswerInvalidError, NotFoundError
from forge_hub.mind import evidence
from forge_hub.mind.evidence import Wanted
from forge_hub.mind.figures import Span
from forge_hub.records import reading
from forge_hub.records.schema import Inference
from forge_hub.web.evidence_view import pieces_of, reason_of
from forge_hub.web.guard import safe_target
from forge_hub.web.mind_wording import FRAMEWORK_WORDS, VERDICTS
from forge_hub.web.people import Label, Page, note, pages_of
from forge_hub.web.site import Site, SiteOf, Who
from forge_language.taxonomy import LABELS
from forge_shared.events import InferenceReviewed

Word = Literal["right", "wrong", "other", "open"]

SHOWN_WITHIN_SECONDS = 2.0
"""How long an answer waits until the records show what was decided, so that the next page does. It is logged by then in
any case. Ours: twice a projection's own pause."""

LOOK_AGAIN_SECONDS = 0.02


def add_routes(app: FastAPI) -> None:
    """Add the page and the word."""

    @app.get("/people/{pseudonym}/review")
    def review(  # noqa: PLR0913 (what an address may ask for)
        request: Request,
        pseudonym: str,
        site: SiteOf,
        who: Who,
        *,
        framework: Label = None,
        session: Label = None,
        decided: bool = False,
        page: Page = 1,
    ) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        note(site, who, "inferences.read", pseudonym, pseudonym)
        wanted = Wanted(Span(session=session or None), framework or None)
        total, found = evidence.to_review(site.parts.database, pseudonym, wanted, decided=decided, page=page)
        names = reading.usernames(
            site.parts.database, {each.inference.decided_by for each in found if each.inference.decided_by}
        )
        items = []
        for each in found:
            reason = reason_of(each.inference, each.utterance.text, names)
            items.append((each.utterance, pieces_of(each.utterance.text, [reason]), reason))
        return site.pages.page(
            request,
            "review.html",
            pseudonym=pseudonym,
            items=items,
            total=total,
            framework=framework or "",
            session=session or "",
            decided=decided,
            frameworks=FRAMEWORK_WORDS,
            **pages_of(request, total, page),
        )

    @app.post("/people/{pseudonym}/inferences/{inference_id}/review")
    def say(  # noqa: PLR0913 (a form's fields)
        request: Request,
        pseudonym: str,
        inference_id: str,
        site: SiteOf,
        who: Who,
        *,
        verdict: Annotated[Word, Form()],
        instead: Annotated[str, Form(max_length=60)] = "",
        back: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        site.access.assignments.check(who, pseudonym)
        found = evidence.inference(site.parts.database, inference_id)
        if found.subject != pseudonym:
            raise NotFoundError("there is no such inference about this person")
        other = other_label(found, verdict, instead)
        word = InferenceReviewed(inference=inference_id, verdict=verdict, instead=other, by=who.account_id)
        note(site, who, "inference.review", inference_id, pseudonym)
        site.parts.journal.append(word, pseudonym)
        shown = _shown(site, word)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse(
                {
                    "verdict": verdict,
                    "words": VERDICTS.get(verdict, ""),
                    "instead": other or "",
                    "by": who.username,
                    "at": site.parts.clock.now().isoformat(timespec="seconds"),
                    "shown": shown,
                }
            )
        return RedirectResponse(safe_target(back) if back else f"/people/{pseudonym}/review", status_code=303)


def other_label(found: Inference, verdict: Word, instead: str) -> str | None:
    """Return the label that is put in an inference's place, if one is.

    Raises:
        AnswerInvalidError: It is none of the other labels of the framework's closed list, or none was named.
    """
    if verdict != "other":
        return None
    if instead == found.label or instead not in LABELS.get(found.framework, ()):
        raise AnswerInvalidError("another label of the same list must be named")
    return instead


def _shown(site: Site, word: InferenceReviewed) -> bool:
    """Wait until the records show a word, and tell whether they do."""
    wanted = (None if word.verdict == "open" else word.verdict, word.instead)
    until = time.monotonic() + SHOWN_WITHIN_SECONDS
    while True:
        found = evidence.inference(site.parts.database, word.inference)
        if (found.verdict, found.instead) == wanted:
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(LOOK_AGAIN_SECONDS)
