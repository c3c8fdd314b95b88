"""Routes by which a person says what an alarm was: real, false or a test, with a cause; and takes it back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select

from forge_hub.alerts.marks import REASONS, VERDICTS, mark_of, stored_mark
from forge_hub.errors import NotFoundError
from forge_hub.records import reading
from forge_hub.records.schema import Alert, AlertStep
from forge_hub.web import camera_wording
from forge_hub.web.answers import PHONE, answered
from forge_hub.web.site import SiteOf, Who
from forge_hub.web.wording import view_of

MARK_CHOICES = [(verdict, words, REASONS[verdict]) for verdict, words in VERDICTS.items()]
"""What the buttons of a marking form say: verdict, its words, and the causes by code."""


def add_routes(app: FastAPI) -> None:
    """Add the page and the mark."""

    @app.get("/alerts/{alert_id}/mark")
    def page(request: Request, alert_id: str, site: SiteOf, who: Who, back: str = "") -> HTMLResponse:
        parts = site.parts
        with parts.database.read() as transaction:
            alert = transaction.scalars(select(Alert).where(Alert.id == alert_id, Alert.kind != "canary")).first()
            steps = transaction.scalars(
                select(AlertStep).where(AlertStep.alert == alert_id).order_by(AlertStep.id)
            ).all()
        if alert is None:
            raise NotFoundError("there is no such alert")
        accounts = {alert.accepted_by, alert.marked_by, *(each.account for each in steps)}
        names = reading.usernames(parts.database, {each for each in accounts if each})
        clinical = who.role != "admin"
        return site.pages.page(
            request,
            "mark.html",
            alert=view_of(alert, parts.forms, names, clinical=clinical),
            history=_history(steps, names) if clinical else [],
            is_closed=alert.state == "closed",
            mark=stored_mark(alert.verdict, alert.verdict_reason),
            marked_by=names.get(alert.marked_by or "", "someone"),
            marked_at=alert.marked_at,
            choices=MARK_CHOICES,
            back="phone" if back == "phone" else "",
        )

    @app.post("/alerts/{alert_id}/mark")
    async def mark(  # noqa: PLR0913 (a form's fields)
        request: Request,
        alert_id: str,
        site: SiteOf,
        who: Who,
        *,
        mark: Annotated[str, Form(max_length=40)],
        back: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        await site.parts.board.mark(alert_id, mark_of(mark), who.account_id)
        return RedirectResponse(PHONE, status_code=303) if back == "phone" else answered(request)


def _history(steps: Sequence[AlertStep], names: Mapping[str, str]) -> list[tuple[datetime, str, str]]:
    """Return when what happened, and who did it, the oldest first."""
    told = [(each.at, camera_wording.step(each.what, each.detail), each.account) for each in steps]
    return [(at, words, names.get(account, "someone") if account else "") for at, words, account in told if words]
