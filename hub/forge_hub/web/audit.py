"""The route of the audit: ids, codes and times, and nothing that a person said or wrote."""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse

from forge_hub.access import audit
from forge_hub.records import reading
from forge_hub.web.site import SiteOf, Who

Word = Annotated[str, Query(max_length=100)]


def add_routes(app: FastAPI) -> None:
    """Add the route."""

    @app.get("/audit")
    def entries(  # noqa: PLR0913 (a form's fields)
        request: Request,
        site: SiteOf,
        who: Who,
        account: Word = "",
        action: Word = "",
        outcome: Word = "",
        before: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    ) -> HTMLResponse:
        database = site.parts.database
        wanted = audit.Filter(_text(account), _text(action), _text(outcome), before)
        found = audit.page(database, wanted)
        audit.note(database, site.parts.clock.now(), who.account_id, "audit.list", site.parts.site)
        return site.pages.page(
            request,
            "audit.html",
            entries=found,
            names=reading.usernames(database, {entry.account for entry in found}),
            wanted=wanted,
            more=found[-1].position if len(found) == audit.PAGE_ROWS else 0,
        )


def _text(word: str) -> str:
    # PostgreSQL's texts hold no zero character.
    return word.replace("\x00", "")
