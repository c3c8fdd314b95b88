"""The door of the pages: who may open which route, and the headers that every answer carries.

Everything is refused that `ROUTES` does not allow. Changing requests need the session's own token, and none that a
browser sends on behalf of another site is looked at.
"""

import asyncio
from collections.abc import Mapping
from typing import cast
from urllib.parse import quote, urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forge_hub.access import PASSWORD_ROLES, Access, Role, SignedIn, audit, tokens_match
from forge_hub.errors import AccessError

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"

_PUBLIC: frozenset[Role] = frozenset()
_EVERYONE: frozenset[Role] = frozenset(PASSWORD_ROLES)  # a patient's device opens nothing of the hub's pages yet
_CLINICIAN: frozenset[Role] = frozenset({"clinician"})
_ADMIN: frozenset[Role] = frozenset({"admin"})
_CARERS: frozenset[Role] = frozenset({"staff", "clinician"})
_CLINICIAN_OR_ADMIN: frozenset[Role] = frozenset({"clinician", "admin"})

ROUTES: Mapping[tuple[str, str], frozenset[Role]] = {
    ("GET", "/healthz"): _PUBLIC,
    # A scraper has no session: a token of its own speaks for it.
    ("GET", "/metrics"): _PUBLIC,
    ("GET", "/login"): _PUBLIC,
    ("POST", "/login"): _PUBLIC,
    ("GET", "/login/code"): _PUBLIC,
    ("POST", "/login/code"): _PUBLIC,
    ("GET", "/login/qr.svg"): _PUBLIC,
    ("GET", "/setup/{token}"): _PUBLIC,
    ("POST", "/setup/{token}"): _PUBLIC,
    ("POST", "/logout"): _EVERYONE,
    ("GET", "/"): _EVERYONE,
    ("GET", "/alerts/stream"): _EVERYONE,
    ("POST", "/alerts/{alert_id}/accept"): _EVERYONE,
    ("POST", "/alerts/{alert_id}/decline"): _EVERYONE,
    ("POST", "/alerts/{alert_id}/attend"): _EVERYONE,
    ("POST", "/alerts/{alert_id}/close"): _EVERYONE,
    ("POST", "/alerts/{alert_id}/seen"): _EVERYONE,
    ("GET", "/alerts/{alert_id}/mark"): _EVERYONE,
    ("POST", "/alerts/{alert_id}/mark"): _EVERYONE,
    ("GET", "/trust"): _CARERS,
    ("GET", "/trust.json"): _CARERS,
    ("GET", "/phone"): _EVERYONE,
    ("GET", "/phone/stream"): _EVERYONE,
    ("GET", "/phone.webmanifest"): _PUBLIC,
    ("GET", "/phone-worker.js"): _PUBLIC,
    ("GET", "/duty"): _EVERYONE,
    ("POST", "/duty/on"): _EVERYONE,
    ("POST", "/duty/off"): _EVERYONE,
    ("POST", "/duty/shifts"): _ADMIN,
    ("POST", "/duty/plans"): _ADMIN,
    ("GET", "/rooms"): _EVERYONE,
    ("POST", "/rooms/{node}/presence"): _CARERS,
    ("GET", "/stays"): _CARERS,
    ("GET", "/beds/{bed_id}/admission"): _CARERS,
    ("POST", "/beds/{bed_id}/admission"): _CARERS,
    ("GET", "/stays/{stay_id}"): _CARERS,
    ("POST", "/stays/{stay_id}/name"): _CARERS,
    ("POST", "/stays/{stay_id}/identity"): _CARERS,
    ("POST", "/stays/{stay_id}/watch"): _CARERS,
    ("POST", "/stays/{stay_id}/transfer"): _CARERS,
    ("POST", "/stays/{stay_id}/discharge"): _CARERS,
    ("POST", "/stays/{stay_id}/consents/{purpose}/give"): _CARERS,
    ("POST", "/stays/{stay_id}/consents/{purpose}/withdraw"): _CARERS,
    ("GET", "/stays/{stay_id}/consents.json"): _CLINICIAN,
    ("GET", "/beds"): _ADMIN,
    ("POST", "/wards"): _ADMIN,
    ("POST", "/beds"): _ADMIN,
    ("POST", "/beds/{bed_id}/node"): _ADMIN,
    ("GET", "/rooms/{node}/session"): _CLINICIAN,
    ("POST", "/rooms/{node}/session/start"): _CLINICIAN,
    ("POST", "/rooms/{node}/session/end"): _CLINICIAN,
    ("GET", "/people"): _CLINICIAN,
    ("GET", "/people/{pseudonym}"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/circumplex.json"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/utterances"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/utterances/{utterance_id}"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/sessions/{session_id}/rows"): _CLINICIAN,
    ("POST", "/people/{pseudonym}/sessions/{session_id}/rows/{utterance_id}"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/sessions/{session_id}"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/sessions/{session_id}/report"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/review"): _CLINICIAN,
    ("POST", "/people/{pseudonym}/inferences/{inference_id}/review"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/explore"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/graph.json"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/compare"): _CLINICIAN,
    ("GET", "/accounts"): _ADMIN,
    ("POST", "/accounts/links"): _ADMIN,
    ("POST", "/accounts/{account_id}/close"): _ADMIN,
    ("POST", "/accounts/{account_id}/second-factor"): _ADMIN,
    # Nodes, which have no session: a claim or a signature speaks for them.
    ("POST", "/enrol"): _PUBLIC,
    ("POST", "/enrol/renew"): _PUBLIC,
    ("GET", "/authority.pem"): _PUBLIC,
    ("POST", "/v1/releases/token"): _PUBLIC,
    ("GET", "/v1/releases/images/metadata/{name}"): _PUBLIC,
    ("GET", "/v1/releases/director/metadata/{name}"): _PUBLIC,
    ("GET", "/v1/releases/images/targets/{name}"): _PUBLIC,
    ("GET", "/install/node.tar"): _PUBLIC,
    ("GET", "/fleet"): _ADMIN,
    ("POST", "/fleet/claims"): _ADMIN,
    ("GET", "/fleet/claims/{claim_id}/code.svg"): _ADMIN,
    ("POST", "/fleet/{node}/revoke"): _ADMIN,
    ("GET", "/releases"): _ADMIN,
    ("GET", "/releases/approval"): _ADMIN,
    ("GET", "/releases/approval/document.json"): _ADMIN,
    ("POST", "/releases/approval/signatures"): _ADMIN,
    ("POST", "/releases/approval/publish"): _ADMIN,
    ("GET", "/releases/{target}"): _ADMIN,
    ("POST", "/releases/{target}/withdraw"): _ADMIN,
    ("POST", "/releases/{target}/take-back"): _ADMIN,
    ("GET", "/rollouts"): _ADMIN,
    ("POST", "/rollouts"): _ADMIN,
    ("GET", "/rollouts/new"): _ADMIN,
    ("GET", "/rollouts/groups"): _ADMIN,
    ("POST", "/rollouts/groups"): _ADMIN,
    ("GET", "/rollouts/history"): _ADMIN,
    ("GET", "/rollouts/{rollout_id}"): _ADMIN,
    ("GET", "/rollouts/{rollout_id}/stream"): _ADMIN,
    ("POST", "/rollouts/{rollout_id}/{act}"): _ADMIN,
    # Whoever looks after people may keep a room as it is for a while.
    ("GET", "/locks"): _CLINICIAN_OR_ADMIN,
    ("POST", "/locks"): _CLINICIAN_OR_ADMIN,
    ("GET", "/v1/admin/releases"): _ADMIN,
    ("POST", "/v1/admin/releases"): _ADMIN,
    ("GET", "/v1/admin/releases/{target}"): _ADMIN,
    ("POST", "/v1/admin/releases/{target}/withdraw"): _ADMIN,
    ("POST", "/v1/admin/releases/{target}/take-back"): _ADMIN,
    ("GET", "/v1/admin/approval/document"): _ADMIN,
    ("POST", "/v1/admin/approval/signatures"): _ADMIN,
    ("POST", "/v1/admin/approval/publish"): _ADMIN,
    ("GET", "/v1/admin/rollouts"): _ADMIN,
    ("POST", "/v1/admin/rollouts"): _ADMIN,
    ("GET", "/v1/admin/rollouts/{rollout_id}"): _ADMIN,
    ("POST", "/v1/admin/rollouts/{rollout_id}/pause"): _ADMIN,
    ("POST", "/v1/admin/rollouts/{rollout_id}/resume"): _ADMIN,
    ("POST", "/v1/admin/rollouts/{rollout_id}/stop"): _ADMIN,
    ("POST", "/v1/admin/rollouts/{rollout_id}/withdraw"): _ADMIN,
    ("GET", "/v1/admin/groups"): _ADMIN,
    ("POST", "/v1/admin/groups/{name}"): _ADMIN,
    ("GET", "/v1/admin/locks"): _ADMIN,
    ("POST", "/v1/admin/locks"): _ADMIN,
    ("GET", "/v1/admin/ran"): _ADMIN,
    ("GET", "/account"): _EVERYONE,
    ("POST", "/account/password"): _EVERYONE,
    ("POST", "/account/sign-out-everywhere"): _EVERYONE,
    ("POST", "/account/second-factor"): _EVERYONE,
    ("GET", "/assignments"): _CLINICIAN_OR_ADMIN,
    ("POST", "/assignments"): _CLINICIAN_OR_ADMIN,
    ("POST", "/assignments/{assignment_id}/end"): _CLINICIAN_OR_ADMIN,
    ("GET", "/people/{pseudonym}/emergency"): _CLINICIAN,
    ("POST", "/people/{pseudonym}/emergency"): _CLINICIAN,
    ("GET", "/reviews"): _CLINICIAN_OR_ADMIN,
    ("POST", "/reviews/{emergency_id}"): _CLINICIAN_OR_ADMIN,
    ("GET", "/audit"): _ADMIN,
    ("GET", "/quarantine"): _ADMIN,
    ("GET", "/quarantine/{entry_id}"): _ADMIN,
    ("POST", "/quarantine/replay"): _ADMIN,
    ("POST", "/quarantine/{entry_id}/replay"): _ADMIN,
}
"""Which roles may open a route, by method and path; an empty set means anyone, signed in or not."""

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": with it browsers send "Origin: null" on our own forms, which `check_same_site` must refuse.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}

HSTS: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}
"""Where the site is reached by HTTPS: a year, as OWASP ASVS 5.0 asks (3.4.1); its own host only, not its neighbours."""


class SignInNeededError(AccessError):
    """Nobody is signed in. ``target`` is the page to return to afterwards."""

    code = "access.sign-in"

    def __init__(self, target: str) -> None:
        super().__init__("nobody is signed in")
        self.target = target


class RouteClosedError(AccessError):
    """No role may open this route: the table does not name it."""

    code = "access.route"


class RoleError(AccessError):
    """The role may not open this route."""

    code = "access.role"


class CrossSiteError(AccessError):
    """A browser sends the request on behalf of another site's page."""

    code = "access.cross-site"


class TokenError(AccessError):
    """The request does not carry its session's token."""

    code = "access.token"


class Guard:
    """Checks each request before its route sees it. Used as a dependency of the whole application."""

    def __init__(self, access: Access, cookie: str) -> None:
        self._access = access
        self._cookie = cookie

    async def __call__(self, request: Request) -> None:
        """Let a request pass, with ``request.state.signed_in`` set when someone is signed in.

        What is refused is in the audit, with the route as the table writes it and the error's code.

        Raises:
            SignInNeededError: The route is not public and nobody is signed in.
            AccessError: The role may not open the route, or a changing request lacks the session's token.
        """
        path = getattr(request.scope.get("route"), "path", "")
        try:
            await self._check(request, ROUTES.get((request.method, path)))
        except AccessError as error:
            who: SignedIn | None = getattr(request.state, "signed_in", None)
            await asyncio.to_thread(
                self._access.refusals.note,
                who.account_id if who else audit.UNKNOWN,
                "route.open",
                f"{request.method} {path}",
                error.code,
                address_of(request),
            )
            raise

    async def _check(self, request: Request, allowed: frozenset[Role] | None) -> None:
        if allowed is None:
            raise RouteClosedError("no role may open this route")
        if request.method != "GET":
            check_same_site(request.headers)
        who = await asyncio.to_thread(self._who, request, public=not allowed)
        request.state.signed_in = who
        if who is not None and who.role == "clinician":
            request.state.emergencies = await asyncio.to_thread(self._access.assignments.emergencies_of, who.account_id)
        if not allowed:
            return
        if who is None:
            raise SignInNeededError(_return_target(request))
        if who.role not in allowed:
            raise RoleError("this role may not open this page")
        if request.method != "GET":
            await _check_token(request, who)

    def _who(self, request: Request, *, public: bool) -> SignedIn | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            # A public route answers whoever asks, also while the store does not.
            return None if public else self._access.device(token)
        # What a page asks for by itself is no sign that someone is there.
        by_itself = request.method == "GET" and (
            "hx-request" in request.headers or request.url.path.endswith("/stream")
        )
        return self._access.signed_in(request.cookies.get(self._cookie), touch=not by_itself)


class SecurityHeaders:
    """Adds `SECURITY_HEADERS`, and `HSTS` where there is HTTPS, to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        self._app = app
        self._headers = {**SECURITY_HEADERS, **(HSTS if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application inside does, with the headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        static = scope["path"].startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if static:
                    headers.setdefault("Cache-Control", "no-cache")
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def check_same_site(headers: Mapping[str, str]) -> None:
    """Refuse a changing request that a browser sends from another site's page.

    Raises:
        CrossSiteError: The browser says that the request comes from elsewhere.
    """
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise CrossSiteError("the request comes from another site")
    origin = headers.get("origin")
    if origin is not None and _netloc(origin) != headers.get("host"):
        raise CrossSiteError("the request comes from another site")


def safe_target(target: str) -> str:
    """Return ``target`` if it is a path on this site, else the front page."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_path else "/"


def current(request: Request) -> SignedIn:
    """Return whoever is signed in, on a route that is not public."""
    return cast("SignedIn", request.state.signed_in)


def address_of(request: Request) -> str:
    """Return where a request came from."""
    return request.client.host if request.client else "unknown"


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _return_target(request: Request) -> str:
    return quote(request.url.path, safe="/") if request.method == "GET" else "/"


async def _check_token(request: Request, who: SignedIn) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None:
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if not tokens_match(who.csrf_token, given):
        raise TokenError("the request does not carry its session's token")
