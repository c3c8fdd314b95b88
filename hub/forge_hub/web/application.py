"""The web application: routes, guard, headers, errors."""

from collections.abc import Mapping, Sequence
from functools import cache

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from forge_hub.access import Access, NotAssignedError, TooManyAttemptsError
from forge_hub.errors import (
    AccessError,
    AnswerInvalidError,
    BrokerError,
    EnrolmentError,
    NotFoundError,
    ReleaseError,
    StayError,
)
from forge_hub.graph.errors import GraphUnavailableError
from forge_hub.records.database import trouble_of
from forge_hub.web import (
    account,
    accounts,
    alerts,
    answers,
    assignments,
    audit,
    beds,
    comparing,
    duty,
    enrolment,
    explorer,
    fleet,
    installation,
    marks,
    monitoring,
    people,
    phone,
    quarantine,
    release_files,
    releases,
    releases_api,
    report,
    reviewing,
    rollouts_api,
    rollouts_page,
    room_groups,
    rooms,
    sheet,
    stays,
    trust,
    watch,
)
from forge_hub.web.guard import SECURITY_HEADERS, Guard, SecurityHeaders, SignInNeededError
from forge_hub.web.limits import Limits
from forge_hub.web.parts import Parts
from forge_hub.web.rendering import STATIC, Pages, signed_in
from forge_hub.web.site import Site, site_of
from forge_hub.web.streams import Streams
from forge_shared.errors import ForgeError
from forge_shared.logs import get_logger

log = get_logger()

_STATUSES: tuple[tuple[type[ForgeError], int], ...] = (
    (TooManyAttemptsError, 429),
    (AccessError, 403),
    (AnswerInvalidError, 400),
    (EnrolmentError, 400),
    (NotFoundError, 404),
    (ReleaseError, 422),
    (StayError, 422),
    (BrokerError, 503),
    (GraphUnavailableError, 503),
)
"""HTTP's word for each error, the narrower kind first; everything else is our own fault."""

_WORDS: Mapping[int, tuple[str, str]] = {
    400: ("The request was not complete", "Go back and fill in what is missing."),
    403: ("You may not open this", "Your account does not have the role for it. An admin can make you another."),
    404: ("There is nothing here", "The page does not exist, or what it showed is no longer on file."),
    405: ("The request was not complete", "This address cannot be opened like that."),
    422: (
        "This cannot be done",
        "The bed is taken, the stay is over, or the consent is not on file. Look at the list again.",
    ),
    429: ("Too many attempts", "Wait a quarter of an hour, then try again."),
    500: (
        "Something failed in the hub",
        "It was written to the log. Alerts go on being stored; try again in a moment.",
    ),
    507: (
        "The hub's disk is full",
        "Nothing was changed. Rooms keep their alarms until there is room: tell whoever looks after the hub now.",
    ),
    503: ("This cannot be reached now", "Nothing was started or changed. Try again in a moment."),
}


def create_application(parts: Parts) -> FastAPI:
    """Return the pages of one hub. It holds no connection of its own; ``parts`` outlive it."""
    access = Access(parts.database, parts.clock, key=parts.key, staff_second_factor=parts.staff_second_factor)
    site = Site(parts, access, Pages(parts.site, parts.clock, parts.health), Streams())
    if not site.pages.with_scripts:
        log.warning("pages.scripts-missing", remedy="make assets")
    app = _guarded()
    app.state.site = site
    app.add_middleware(
        Limits,
        refusals=access.refusals,
        clock=parts.clock,
        hosts=parts.hosts,
        upload_bytes=parts.releases.intake.most_bytes,
    )
    app.add_middleware(SecurityHeaders, https=parts.https)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.router.routes.extend(_routes())
    for part in (enrolment, release_files, installation, fleet, monitoring):
        # They look whether this hub has what they show.
        part.add_routes(app)
    _add_errors(app)
    _add_failures(app)
    return app


def end_streams(app: FastAPI) -> None:
    """End the pages' open streams: called before the server waits for its connections to close."""
    site: Site = app.state.site
    site.streams.close()


@cache
def _routes() -> Sequence[BaseRoute]:
    """Return the routes that every hub has. They know no site but a request's, so a process makes them once."""
    app = _guarded()
    for part in (alerts, answers, phone, duty, rooms, people, accounts, account, assignments, audit, beds, stays):
        part.add_routes(app)
    for part in (reviewing, explorer, comparing, report, sheet):
        part.add_routes(app)
    for part in (releases, releases_api, room_groups, rollouts_page, rollouts_api):
        part.add_routes(app)
    for part in (marks, trust, watch, quarantine):
        part.add_routes(app)
    return tuple(app.router.routes)


def _guarded() -> FastAPI:
    """Return an application that lets nobody through but by the guard."""
    return FastAPI(
        title="Persona-Forge hub", dependencies=[Depends(_guard)], docs_url=None, redoc_url=None, openapi_url=None
    )


async def _guard(request: Request) -> None:
    site = site_of(request)
    await Guard(site.access, site.cookie)(request)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(SignInNeededError)
    def sign_in_needed(request: Request, error: SignInNeededError) -> Response:
        if _wants_page(request):
            return RedirectResponse(f"/login?target={error.target}", status_code=303)
        return JSONResponse({"code": error.code}, status_code=401)

    @app.exception_handler(NotAssignedError)
    def not_assigned(request: Request, error: NotAssignedError) -> Response:
        who = signed_in(request)
        if not _wants_page(request) or who is None or who.role != "clinician":
            return _error(request, 403, error.code)
        return site_of(request).pages.page(request, "not-assigned.html", status=403, subject=error.subject)

    @app.exception_handler(ForgeError)
    def refused(request: Request, error: ForgeError) -> Response:
        status = _status_of(error)
        if status == 500:  # noqa: PLR2004 (HTTP's word for our own fault)
            log.error("page.failed", code=error.code)
        # A release's words name files and counts of it, never a person: they say what to do.
        return _error(request, status, error.code, message=str(error) if isinstance(error, ReleaseError) else "")

    @app.exception_handler(HTTPException)
    def refused_by_framework(request: Request, error: HTTPException) -> Response:
        return _error(request, error.status_code, "", error.headers)

    @app.exception_handler(RequestValidationError)
    def incomplete(request: Request, _: RequestValidationError) -> Response:
        # 422 is for forms that the page shows again; here the request was not made by one of our forms.
        return _error(request, 400, "request.invalid")


def _add_failures(app: FastAPI) -> None:
    @app.exception_handler(SQLAlchemyError)
    def not_stored(request: Request, error: SQLAlchemyError) -> Response:
        trouble = trouble_of(error)
        log.error("page.failed", code=trouble, exc_info=error)
        return _error(request, 507 if trouble == "disk.full" else 500, trouble)

    @app.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        log.error("page.failed", exc_info=error)
        return _error(request, 500, "hub")


def _status_of(error: ForgeError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def _wants_page(request: Request) -> bool:
    path = request.url.path
    if path.startswith("/v1/"):
        return False
    return "hx-request" not in request.headers and not path.endswith(".json") and not path.endswith("/stream")


def _error(
    request: Request, status: int, code: str, headers: Mapping[str, str] | None = None, *, message: str = ""
) -> Response:
    # The handler of last resort answers outside the middleware, hence the security headers here too.
    carried = {**SECURITY_HEADERS, **(headers or {})}
    if not _wants_page(request):
        said = {"code": code or str(status), **({"message": message} if message else {})}
        return JSONResponse(said, status_code=status, headers=carried)
    title, words = _WORDS.get(status, _WORDS[500 if status >= 500 else 400])  # noqa: PLR2004 (HTTP's classes)
    page: HTMLResponse = site_of(request).pages.page(
        request, "error.html", status=status, title=title, words=words, code=code
    )
    page.headers.update(carried)
    return page
