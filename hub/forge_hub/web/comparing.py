"""Route by which a clinician compares two stretches of a person's story."""

from datetime import date, datetime, time, timedelta, tzinfo

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from forge_hub.mind import figures
from forge_hub.mind.figures import SessionTold, Span
from forge_hub.web.compare_view import Side, compare, overlap
from forge_hub.web.people import Label, note
from forge_hub.web.site import Site, SiteOf, Who

Day = date | None


def add_routes(app: FastAPI) -> None:
    """Add the page."""

    @app.get("/people/{pseudonym}/compare")
    def page(  # noqa: PLR0913 (what an address may ask for)
        request: Request,
        pseudonym: str,
        site: SiteOf,
        who: Who,
        *,
        first_session: Label = None,
        first_since: Label = None,
        first_until: Label = None,
        second_session: Label = None,
        second_since: Label = None,
        second_until: Label = None,
    ) -> HTMLResponse:
        site.access.assignments.check(who, pseudonym)
        note(site, who, "person.read", pseudonym, pseudonym)
        sessions = figures.sessions(site.parts.database, pseudonym)
        zone = site.parts.zone
        asked = [
            _span(first_session, _day(first_since), _day(first_until), zone),
            _span(second_session, _day(second_since), _day(second_until), zone),
        ]
        spans = asked if any(each != Span() for each in asked) else _halves(sessions, zone)
        sides = [_side(site, pseudonym, span) for span in spans]
        return site.pages.page(
            request,
            "compare.html",
            pseudonym=pseudonym,
            sessions=sessions,
            spans=spans,
            days=[(_first_day(span, zone), _last_day(span, zone)) for span in spans],
            sides=sides,
            overlap=overlap(*sides),
            lines=compare(*sides),
        )


def _halves(sessions: list[SessionTold], zone: tzinfo) -> list[Span]:
    """Return the earlier and the later half of the sessions, in days: what is compared until somebody says what."""
    if not sessions:
        return [Span(), Span()]
    middle = _midnight(sessions[len(sessions) // 2].started_at.astimezone(zone).date(), zone)
    return [Span(until=middle), Span(since=middle)]


def _side(site: Site, pseudonym: str, span: Span) -> Side:
    database = site.parts.database
    return Side.of(
        figures.utterance_count(database, pseudonym, span),
        figures.readings(database, pseudonym, span),
        figures.label_counts(database, pseudonym, span),
    )


def _span(session: str | None, since: Day, until: Day, zone: tzinfo) -> Span:
    """Return a session, or days of which the last is part of it."""
    if session:
        return Span(session=session)
    try:
        end = _midnight(until + timedelta(days=1), zone) if until else None
    except OverflowError:
        end = None
    return Span(_midnight(since, zone) if since else None, end)


def _day(text: str | None) -> Day:
    """Return a day that a form's field holds; None where it holds none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _first_day(span: Span, zone: tzinfo) -> str:
    return span.since.astimezone(zone).date().isoformat() if span.since else ""


def _last_day(span: Span, zone: tzinfo) -> str:
    return (span.until - timedelta(seconds=1)).astimezone(zone).date().isoformat() if span.until else ""
