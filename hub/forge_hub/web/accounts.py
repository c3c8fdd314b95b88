"""Routes of signing in and out, of one-time links and of the list of accounts."""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.access import (
    PASSWORD_MAX_LENGTH,
    PASSWORD_MIN_LENGTH,
    ROLES,
    SESSION_VALID_FOR,
    PasswordRefusedError,
    Role,
    TooManyAttemptsError,
)
from forge_hub.errors import AccessError
from forge_hub.records import reading
from forge_hub.web.guard import safe_target
from forge_hub.web.rendering import signed_in
from forge_hub.web.site import Site, SiteOf, Who

Text = Annotated[str, Form(max_length=1024)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_signing_in(app)
    _add_setup(app)
    _add_accounts(app)


def _add_signing_in(app: FastAPI) -> None:
    @app.get("/login")
    def login_page(request: Request, site: SiteOf, target: str = "/") -> Response:
        if signed_in(request) is not None:
            return RedirectResponse(safe_target(target), status_code=303)
        none_yet = reading.accounts(site.parts.database) == []
        return site.pages.page(
            request, "login.html", target=safe_target(target), problem="", username="", none_yet=none_yet
        )

    @app.post("/login")
    def login(
        request: Request, site: SiteOf, username: Text, password: Text, target: Annotated[str, Form()] = "/"
    ) -> Response:
        address = request.client.host if request.client else "unknown"
        try:
            session = site.access.sign_in(username, password, address)
        except TooManyAttemptsError:
            problem, status = "Too many attempts. Wait a quarter of an hour, then try again.", 429
        except AccessError:
            problem, status = "The username or the password is not right.", 403
        else:
            answer = RedirectResponse(safe_target(target), status_code=303)
            _set_cookie(site, answer, session.token)
            return answer
        return site.pages.page(
            request,
            "login.html",
            status=status,
            target=safe_target(target),
            problem=problem,
            username=username[:64],
            none_yet=False,
        )

    @app.post("/logout")
    def logout(request: Request, site: SiteOf) -> Response:
        site.access.sign_out(request.cookies.get(site.cookie))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(site.cookie, secure=site.parts.https, httponly=True, samesite="strict")
        return answer


def _add_setup(app: FastAPI) -> None:
    @app.get("/setup/{token}")
    def setup_page(request: Request, token: str, site: SiteOf) -> HTMLResponse:
        return _setup_page(request, site, token)

    @app.post("/setup/{token}")
    def setup(  # noqa: PLR0913 (a form's fields)
        request: Request, token: str, site: SiteOf, username: Text, password: Text, repeated: Text
    ) -> Response:
        problem = ""
        if password != repeated:
            problem = "The two passwords differ."
        else:
            try:
                site.access.set_up(token, username, password)
            except PasswordRefusedError as refused:
                problem = str(refused)
        if problem:
            return _setup_page(request, site, token, status=422, problem=problem, username=username[:64])
        return RedirectResponse("/login", status_code=303)


def _add_accounts(app: FastAPI) -> None:
    @app.get("/accounts")
    def accounts(request: Request, site: SiteOf) -> HTMLResponse:
        return _accounts_page(request, site)

    @app.post("/accounts/links")
    def link(request: Request, site: SiteOf, who: Who, role: Annotated[Role, Form()]) -> HTMLResponse:
        made = site.access.invite(role, str(request.base_url), who.account_id)
        return _accounts_page(request, site, link=made, link_role=role)


def _set_cookie(site: Site, answer: Response, token: str) -> None:
    answer.set_cookie(
        site.cookie,
        token,
        max_age=int(SESSION_VALID_FOR.total_seconds()),
        secure=site.parts.https,
        httponly=True,
        samesite="strict",
    )


def _setup_page(  # noqa: PLR0913 (the page's values)
    request: Request, site: Site, token: str, *, status: int = 200, problem: str = "", username: str = ""
) -> HTMLResponse:
    try:
        role = site.access.setup_role(token)
    except AccessError:
        return site.pages.page(
            request,
            "error.html",
            status=404,
            title="This link no longer works",
            words="It has been used, or it is older than a day. Ask for a new one.",
            code="",
        )
    return site.pages.page(
        request,
        "setup.html",
        status=status,
        role=role,
        problem=problem,
        username=username,
        shortest=PASSWORD_MIN_LENGTH,
        longest=PASSWORD_MAX_LENGTH,
    )


def _accounts_page(request: Request, site: Site, *, link: str = "", link_role: str = "") -> HTMLResponse:
    return site.pages.page(
        request,
        "accounts.html",
        accounts=reading.accounts(site.parts.database),
        roles=ROLES,
        link=link,
        link_role=link_role,
    )
