"""The phone page: what rings for this person, in large print with large buttons; with or without scripts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import SignedIn
from forge_hub.alerts.escalation import EVERYONE, Priority
from forge_hub.alerts.standing import declined, priority, read_duties
from forge_hub.alerts.states import CAUSES
from forge_hub.records import reading
from forge_hub.records.schema import Alert, AlertStep, Ward
from forge_hub.web.marks import MARK_CHOICES
from forge_hub.web.rendering import STATIC
from forge_hub.web.site import Site, SiteOf, Who
from forge_hub.web.wording import AlertView, view_of

MINE_SHOWN_FOR = timedelta(hours=12)
"""A person's own alerts stay on the page for one shift."""
MISSED_LIMIT = 20
OVER_SHOWN = 10
"""Alarms of the camera that are over and may still be marked. Ours: a phone is not scrolled for more."""
BEFORE_ALL = str(UUID(int=0))
"""Sorts before every step of an alert: how far a page has come that opened before the first one."""

MANIFEST = {
    "name": "Persona-Forge alerts",
    "short_name": "Alerts",
    "start_url": "/phone",
    "scope": "/phone",
    "id": "/phone",
    "display": "standalone",
    "background_color": "#0d1413",
    "theme_color": "#0b5f58",
    "icons": [{"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
}


@dataclass(frozen=True, slots=True)
class PhoneCard:
    """An alert as one person's phone shows it.

    Attributes:
        ward: The ward's name, empty when the room belongs to none.
        rings: Whether it rings for this person now.
        mine: Whether this person answers for it.
        refused: Whether this person has declined it.
        on_duty: Whether this person is on duty where it was.
        ring: Names this ring: a page sounds once more when it changes.
    """

    view: AlertView
    state: str
    priority: Priority
    ward: str
    rings: bool
    mine: bool
    refused: bool
    seen: bool
    on_duty: bool
    ring: str


def add_routes(app: FastAPI) -> None:
    """Add the page, its stream, its manifest and its service worker."""

    @app.get("/phone")
    def phone(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        return site.pages.page(request, "phone.html", **_values(site, who))

    @app.get("/phone/stream")
    async def stream(request: Request, site: SiteOf, who: Who, after: str = "") -> StreamingResponse:
        token = request.cookies.get(site.cookie)
        since = request.headers.get("last-event-id", after)

        def render() -> str | None:
            now_in = site.access.signed_in(token)
            values = _values(site, now_in, since=since) if now_in else {}
            return site.pages.fragment("phone_board.html", who=now_in, **values) if now_in else None

        def mark() -> str:
            return _mark(site)

        events: AsyncIterator[str] = site.streams.board(site.parts.board, render, who.account_id, mark=mark)
        return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    @app.get("/phone.webmanifest")
    def manifest() -> JSONResponse:
        return JSONResponse(MANIFEST, media_type="application/manifest+json")

    @app.get("/phone-worker.js")
    def worker() -> Response:
        # Served from the root, because a worker's own folder bounds what it may look after.
        return Response((STATIC / "phone-worker.js").read_bytes(), media_type="text/javascript")


def is_asked(level: int, own_levels: frozenset[int]) -> bool:
    """Tell whether a person with these levels of duty is among those who are rung at ``level``."""
    return level == EVERYONE or any(own <= level for own in own_levels)


def _values(site: Site, who: SignedIn, *, since: str = "") -> dict[str, Any]:
    parts = site.parts
    now = parts.clock.now()
    alerts = [
        each
        for each in parts.board.current()
        if each.state == "open" or (each.accepted_at or each.closed_at or each.raised_at) > now - MINE_SHOWN_FOR
    ]
    names = reading.usernames(parts.database, {each.accepted_by for each in alerts if each.accepted_by})
    with parts.database.read() as transaction:
        duties = read_duties(transaction, now, parts.zone)
        wards = {ward.id: ward.name for ward in transaction.scalars(select(Ward))}
        seen = _seen(transaction, who, [each.id for each in alerts])
        refusals = declined(transaction, [alert.id for alert in alerts if alert.state == "open" and alert.level > 0])
        cards = []
        for alert in alerts:
            ward = duties.ward_of(alert)
            own = frozenset(level for level, people in duties.on_duty(alert).items() if who.account_id in people)
            is_open = alert.state == "open"
            refused = is_open and alert.level > 0 and who.account_id in refusals[alert.id]
            cards.append(
                PhoneCard(
                    view=view_of(alert, parts.forms, names),
                    state=alert.state,
                    priority=priority(alert),
                    ward=wards.get(ward or "", ""),
                    rings=is_open and not refused and is_asked(alert.level, own),
                    mine=alert.accepted_by == who.account_id,
                    refused=refused,
                    seen=alert.id in seen,
                    on_duty=bool(own),
                    ring=f"{alert.id}.{alert.level}.{alert.severity}",
                )
            )
        missed = _missed(transaction, since)
        uncovered = set(duties.wards.values()) - {duty.ward for duty in duties.duties}
        on_duty = [(wards.get(duty.ward, duty.ward), duty) for duty in duties.duties if duty.account == who.account_id]
    return {
        "ringing": [card for card in cards if card.rings],
        "mine": [card for card in cards if card.mine and card.state in {"accepted", "attended"}],
        "others": [card for card in cards if not card.rings and card.state in {"open", "accepted"} and not card.mine],
        "missed": [view_of(alert, parts.forms, {}) for alert in missed],
        "on_duty": on_duty,
        "uncovered": sorted(wards.get(ward, ward) for ward in uncovered),
        "over": [card for card in cards if _is_mine_to_mark(card)][:OVER_SHOWN],
        "causes": CAUSES,
        "choices": MARK_CHOICES,
    }


def _is_mine_to_mark(card: PhoneCard) -> bool:
    """Tell whether this person is asked what an alarm was: who took it, or who is on duty where it closed by itself."""
    is_asked_to = card.mine or (card.on_duty and card.view.taken_back_at is not None)
    return card.state == "closed" and card.view.markable and is_asked_to


def _seen(transaction: Transaction, who: SignedIn, alerts: list[str]) -> frozenset[str]:
    own = (AlertStep.account == who.account_id, AlertStep.what == "seen", AlertStep.alert.in_(alerts))
    return frozenset(transaction.scalars(select(AlertStep.alert).where(*own)))


def _mark(site: Site) -> str:
    with site.parts.database.read() as transaction:
        return transaction.scalar(select(func.max(AlertStep.id))) or BEFORE_ALL


def _missed(transaction: Transaction, since: str) -> list[Alert]:
    """Return what rang after a step and needs nobody any more: a page that slept says so instead of hiding it."""
    if not since:
        return []
    rung = select(AlertStep.alert).where(AlertStep.id > since, AlertStep.what == "rung")
    over = select(Alert).where(Alert.id.in_(rung), Alert.state.in_(("attended", "closed")))
    return list(transaction.scalars(over.order_by(Alert.raised_at.desc()).limit(MISSED_LIMIT)))
