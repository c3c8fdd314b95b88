"""Route of the report of a session, to be printed: approved facts apart from hypotheses."""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from forge_hub.mind import evidence, figures
from forge_hub.mind.evidence import Wanted
from forge_hub.mind.figures import Span
from forge_hub.records import reading
from forge_hub.web.people import note, told_sessions
from forge_hub.web.report_view import report_of
from forge_hub.web.site import SiteOf, Who
from forge_hub.web.story_view import methods_of


def add_routes(app: FastAPI) -> None:
    """Add the page."""

    @app.get("/people/{pseudonym}/sessions/{session_id}/report")
    def page(request: Request, pseudonym: str, session_id: str, site: SiteOf, who: Who) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        database = site.parts.database
        session = evidence.session_of(database, pseudonym, session_id)
        note(site, who, "report.read", session_id, pseudonym)
        rows = evidence.standing_in(database, pseudonym, Wanted(Span(session=session_id)))
        names = reading.usernames(database, {each.inference.decided_by for each in rows if each.inference.decided_by})
        told = next((each for each in told_sessions(site, pseudonym, None) if each.session.id == session_id), None)
        return site.pages.page(
            request,
            "report.html",
            pseudonym=pseudonym,
            session=session,
            told=told,
            report=report_of(rows, names),
            methods=methods_of(figures.methods(database, [pseudonym])),
            made_at=site.parts.clock.now(),
        )
