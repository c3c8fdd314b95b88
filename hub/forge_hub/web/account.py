"""Routes of one's own account: sessions, password, second factor."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.access import PASSWORD_MAX_LENGTH, PASSWORD_MIN_LENGTH, PasswordRefusedError, SignedIn
from forge_hub.web.guard import address_of
from forge_hub.web.site import Site, SiteOf, Who

Text = Annotated[str, Form(max_length=1024)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""

    @app.get("/account")
    def account(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        return _page(request, site, who)

    @app.post("/account/password")
    def password(  # noqa: PLR0913 (a form's fields)
        request: Request, site: SiteOf, who: Who, old: Text, new: Text, repeated: Text
    ) -> HTMLResponse:
        if new != repeated:
            return _page(request, site, who, status=422, problem="The two new passwords differ.")
        try:
            site.access.change_password(who, old, new, address_of(request))
        except PasswordRefusedError as refused:
            return _page(request, site, who, status=422, problem=str(refused))
        return _page(request, site, who, changed=True)

    @app.post("/account/sign-out-everywhere")
    def everywhere(site: SiteOf, who: Who) -> Response:
        site.access.sign_out_everywhere(who)
        return RedirectResponse("/login", status_code=303)

    @app.post("/account/second-factor")
    def second_factor(site: SiteOf, who: Who) -> Response:
        site.access.want_second_factor(who)
        site.access.sign_out_everywhere(who)
        return RedirectResponse("/login", status_code=303)


def _page(  # noqa: PLR0913 (the page's values)
    request: Request, site: Site, who: SignedIn, *, status: int = 200, problem: str = "", changed: bool = False
) -> HTMLResponse:
    return site.pages.page(
        request,
        "account.html",
        status=status,
        problem=problem,
        changed=changed,
        sessions=site.access.sessions_of(who.account_id),
        shortest=PASSWORD_MIN_LENGTH,
        longest=PASSWORD_MAX_LENGTH,
    )
