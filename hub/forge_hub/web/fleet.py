"""Routes of the devices: whose certificate holds until when, claims for new ones, and revocation."""

import io
import secrets
from collections import OrderedDict
from typing import Annotated

import segno
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.errors import EnrolmentError, NotFoundError
from forge_hub.fleet import bundle
from forge_hub.fleet.enrolment import Claim
from forge_hub.fleet.revisions import drifts
from forge_hub.ingest.replay import counts
from forge_hub.web.site import Site, SiteOf, Who
from forge_shared.clock import Clock

SHOWN = 32
"""Claims whose code a page may still ask for; the oldest are forgotten first."""


class _ShownClaims:
    """The texts of codes that pages have just been given, in memory only, for the account that asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._texts: OrderedDict[str, tuple[str, Claim, str]] = OrderedDict()

    def keep(self, claim: Claim, text: str, account_id: str) -> str:
        """Return an id under which the code can be asked for until the claim ends."""
        name = secrets.token_urlsafe(16)
        self._texts[name] = (account_id, claim, text)
        while len(self._texts) > SHOWN:
            self._texts.popitem(last=False)
        return name

    def text(self, name: str, account_id: str) -> str:
        """Return the text of a code.

        Raises:
            NotFoundError: There is none of this name for this account, or its claim is over.
        """
        owner, claim, text = self._texts.get(name, ("", None, ""))
        if claim is None or owner != account_id or claim.expires_at <= self._clock.now():
            raise NotFoundError("no claim of this name is shown")
        return text


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    hub: Site = app.state.site
    shown = _ShownClaims(hub.parts.clock)

    @app.get("/fleet")
    def fleet(request: Request, site: SiteOf) -> HTMLResponse:
        return _page(request, site)

    @app.post("/fleet/claims")
    def claim(request: Request, site: SiteOf, who: Who, node: Annotated[str, Form(max_length=64)] = "") -> HTMLResponse:
        url = site.parts.fleet.url
        name = node.strip().lower()
        if url is None:
            return _page(request, site, status=422, node=name)
        try:
            made = site.parts.fleet.enrolment.claim(name, who.account_id)
        except EnrolmentError:
            problem = "A device's name has lower-case letters, digits and hyphens, at most 63, and is not 'hub'."
            return _page(request, site, status=422, node=name, problem=problem)
        code = shown.keep(made, f"{url} {made.words}", who.account_id)
        return _page(request, site, made=made, code=code)

    @app.get("/fleet/claims/{claim_id}/code.svg")
    def code(claim_id: str, who: Who) -> Response:
        drawn = io.BytesIO()
        segno.make(shown.text(claim_id, who.account_id), error="m").save(
            drawn, kind="svg", scale=4, xmldecl=False, light="#fff"
        )
        return Response(drawn.getvalue(), media_type="image/svg+xml")

    @app.post("/fleet/{node}/revoke")
    async def revoke(node: str, site: SiteOf, who: Who) -> Response:
        if not await site.parts.fleet.revocation.revoke(node, who.account_id):
            raise NotFoundError("this node has nothing that could be revoked")
        return RedirectResponse("/fleet", status_code=303)


def _page(  # noqa: PLR0913 (the page's values)
    request: Request,
    site: Site,
    *,
    status: int = 200,
    made: Claim | None = None,
    code: str = "",
    node: str = "",
    problem: str = "",
) -> HTMLResponse:
    folder = site.parts.fleet.install_folder
    url = site.parts.fleet.url
    served = bundle.served(folder) if folder is not None else None
    return site.pages.page(
        request,
        "fleet.html",
        status=status,
        nodes=site.parts.fleet.enrolment.nodes(),
        drifts={drift.node: drift for drift in drifts(site.parts.database)},
        url=url,
        install="" if made is None or served is None or url is None else bundle.line(served[1], url, made.words),
        bundle=None if served is None else served[1],
        made=made,
        code=code,
        node=node,
        problem=problem,
        quarantined=sum(counts(site.parts.database).values()),
    )
