"""Routes of signing in and out, of one-time links and of the list of accounts."""

import asyncio
import io
from typing import Annotated, Literal
from urllib.parse import urlencode

import segno
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from forge_hub.access import (
    PASSWORD_MAX_LENGTH,
    PASSWORD_MIN_LENGTH,
    PASSWORD_ROLES,
    SESSION_VALID_FOR,
    NewSession,
    PasswordRefusedError,
    SignedIn,
    TooManyAttemptsError,
    close_account,
    is_closed,
    reset_second_factor_of,
)
from forge_hub.access.sessions import CODE_AWAITED_FOR
from forge_hub.alerts.duties import Roster
from forge_hub.errors import AccessError, NotFoundError
from forge_hub.records import reading
from forge_hub.web.guard import address_of, safe_target
from forge_hub.web.rendering import signed_in
from forge_hub.web.site import Site, SiteOf, Who

Text = Annotated[str, Form(max_length=1024)]

TOO_MANY = "Too many attempts. Wait a quarter of an hour, then try again."


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_signing_in(app)
    _add_second_step(app)
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
        retry: dict[str, str] = {}
        try:
            admitted = site.access.sign_in(username, password, address_of(request))
        except TooManyAttemptsError as error:
            problem, status = TOO_MANY, 429
            retry = {"Retry-After": str(error.retry_seconds)}
        except AccessError:
            problem, status = "The username or the password is not right.", 403
        else:
            # A browser that signs in again leaves no session of before behind.
            site.access.sign_out(request.cookies.get(site.cookie))
            if isinstance(admitted, NewSession):
                answer = RedirectResponse(safe_target(target), status_code=303)
                _set_cookie(site, answer, admitted.token)
            else:
                query = urlencode({"target": safe_target(target)})
                answer = RedirectResponse(f"/login/code?{query}", status_code=303)
                _set_pending(site, answer, admitted.token)
            return answer
        page = site.pages.page(
            request,
            "login.html",
            status=status,
            target=safe_target(target),
            problem=problem,
            username=username[:64],
            none_yet=False,
        )
        page.headers.update(retry)
        return page

    @app.post("/logout")
    def logout(request: Request, site: SiteOf) -> Response:
        site.access.sign_out(request.cookies.get(site.cookie))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(site.cookie, secure=site.parts.https, httponly=True, samesite="strict")
        return answer


def _add_second_step(app: FastAPI) -> None:
    @app.get("/login/code")
    def code_page(request: Request, site: SiteOf, target: str = "/") -> Response:
        return _code_page(request, site, target)

    @app.post("/login/code")
    def give_code(
        request: Request,
        site: SiteOf,
        code: Text,
        csrf_token: Text = "",
        target: Annotated[str, Form()] = "/",
    ) -> Response:
        token = request.cookies.get(site.pending_cookie)
        try:
            session = site.access.give_code(token, csrf_token, code, address_of(request))
        except TooManyAttemptsError as error:
            page = _code_page(request, site, target, status=429, problem=TOO_MANY)
            page.headers["Retry-After"] = str(error.retry_seconds)
            return page
        except AccessError:
            problem = "The code is not right, or it was used before. Wait for the next one."
            return _code_page(request, site, target, status=403, problem=problem)
        answer: Response
        if session.recovery_codes:
            answer = site.pages.page(
                request, "recovery-codes.html", codes=session.recovery_codes, target=safe_target(target)
            )
        else:
            answer = RedirectResponse(safe_target(target), status_code=303)
        _set_cookie(site, answer, session.token)
        answer.delete_cookie(site.pending_cookie, secure=site.parts.https, httponly=True, samesite="strict")
        return answer

    @app.get("/login/qr.svg")
    def qr_code(request: Request, site: SiteOf) -> Response:
        waiting = site.access.pending(request.cookies.get(site.pending_cookie))
        if waiting is None or waiting.address is None:
            raise NotFoundError("nobody enrols in this browser")
        drawn = io.BytesIO()
        segno.make(waiting.address, error="m").save(drawn, kind="svg", scale=6, light="#ffffff", xmldecl=False)
        return Response(drawn.getvalue(), media_type="image/svg+xml")


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
    def link(
        request: Request, site: SiteOf, who: Who, role: Annotated[Literal["staff", "clinician", "admin"], Form()]
    ) -> HTMLResponse:
        made = site.access.invite(role, str(request.base_url), who.account_id)
        return _accounts_page(request, site, link=made, link_role=role)

    @app.post("/accounts/{account_id}/close")
    async def close(account_id: str, site: SiteOf, who: Who) -> Response:
        await asyncio.to_thread(_close, site, account_id, who)
        # Open pages show who answers now, and those of the account end.
        site.parts.board.changed()
        return RedirectResponse("/accounts", status_code=303)

    @app.post("/accounts/{account_id}/second-factor")
    def reset(account_id: str, site: SiteOf, who: Who) -> Response:
        reset_second_factor_of(site.parts.database, site.parts.clock, account_id, who)
        return RedirectResponse("/accounts", status_code=303)


def _close(site: Site, account_id: str, by: SignedIn) -> None:
    parts = site.parts
    close_account(parts.database, parts.clock, account_id, by)
    Roster(parts.database, parts.clock, parts.zone).hand_over()


def _set_cookie(site: Site, answer: Response, token: str) -> None:
    answer.set_cookie(
        site.cookie,
        token,
        max_age=int(SESSION_VALID_FOR.total_seconds()),
        secure=site.parts.https,
        httponly=True,
        samesite="strict",
    )


def _set_pending(site: Site, answer: Response, token: str) -> None:
    answer.set_cookie(
        site.pending_cookie,
        token,
        max_age=int(CODE_AWAITED_FOR.total_seconds()),
        secure=site.parts.https,
        httponly=True,
        samesite="strict",
    )


def _code_page(request: Request, site: Site, target: str, *, status: int = 200, problem: str = "") -> Response:
    waiting = site.access.pending(request.cookies.get(site.pending_cookie))
    if waiting is None:
        return RedirectResponse("/login", status_code=303)
    return site.pages.page(
        request, "code.html", status=status, target=safe_target(target), problem=problem, waiting=waiting
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
    known = reading.accounts(site.parts.database)
    return site.pages.page(
        request,
        "accounts.html",
        accounts=known,
        closed={account.id for account in known if is_closed(account)},
        roles=PASSWORD_ROLES,
        link=link,
        link_role=link_role,
    )
