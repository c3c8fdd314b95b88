"""Routes by which a person answers an alert, shared by the board and the phone page. Plain forms do."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from forge_hub.alerts.states import Answer
from forge_hub.web.site import Site, SiteOf, Who

PHONE = "/phone"


def add_routes(app: FastAPI) -> None:
    """Add declining, attending, closing and having seen."""

    @app.post("/alerts/{alert_id}/decline")
    async def decline(request: Request, alert_id: str, site: SiteOf, who: Who) -> Response:
        return await _answer(request, site, alert_id, "decline", who.account_id)

    @app.post("/alerts/{alert_id}/attend")
    async def attend(request: Request, alert_id: str, site: SiteOf, who: Who) -> Response:
        return await _answer(request, site, alert_id, "attend", who.account_id)

    @app.post("/alerts/{alert_id}/close")
    async def close(
        request: Request, alert_id: str, site: SiteOf, who: Who, *, cause: Annotated[str, Form(max_length=20)]
    ) -> Response:
        return await _answer(request, site, alert_id, "close", who.account_id, cause)

    @app.post("/alerts/{alert_id}/seen")
    async def seen(alert_id: str, site: SiteOf, who: Who) -> Response:
        await site.parts.board.seen(alert_id, who.account_id)
        return Response(status_code=204)


def answered(request: Request) -> Response:
    """Return to the page that the form stands on; a page with a live stream needs nothing."""
    if "hx-request" in request.headers:
        # The stream brings the board; a second copy could arrive after a newer one.
        return Response(status_code=204)
    from_phone = request.headers.get("referer", "").split("?")[0].endswith(PHONE)
    return RedirectResponse(PHONE if from_phone else "/", status_code=303)


async def _answer(  # noqa: PLR0913 (one route's values)
    request: Request, site: Site, alert_id: str, answer: Answer, account: str, cause: str | None = None
) -> Response:
    await site.parts.board.answer(alert_id, answer, account, cause=cause)
    return answered(request)
