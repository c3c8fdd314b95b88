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

from forge_hub.access import ROLES, Access, Role, SignedIn, tokens_match
from forge_hub.errors import AccessError

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"

_PUBLIC: frozenset[Role] = frozenset()
_EVERYONE: frozenset[Role] = frozenset(ROLES)
_CLINICIAN: frozenset[Role] = frozenset({"clinician"})
_ADMIN: frozenset[Role] = frozenset({"admin"})

ROUTES: Mapping[tuple[str, str], frozenset[Role]] = {
    ("GET", "/healthz"): _PUBLIC,
    ("GET", "/login"): _PUBLIC,
    ("POST", "/login"): _PUBLIC,
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
    ("GET", "/rooms/{node}/session"): _CLINICIAN,
    ("POST", "/rooms/{node}/session/start"): _CLINICIAN,
    ("POST", "/rooms/{node}/session/end"): _CLINICIAN,
    ("GET", "/people"): _CLINICIAN,
    ("GET", "/people/{pseudonym}"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/circumplex.json"): _CLINICIAN,
    ("GET", "/people/{pseudonym}/utterances/{utterance_id}"): _CLINICIAN,
    ("GET", "/utterances/{utterance_id}/graph.json"): _CLINICIAN,
    ("GET", "/accounts"): _ADMIN,
    ("POST", "/accounts/links"): _ADMIN,
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


class SignInNeededError(AccessError):
    """Nobody is signed in. ``target`` is the page to return to afterwards."""

    code = "access.sign-in"

    def __init__(self, target: str) -> None:
        super().__init__("nobody is signed in")
        self.target = target


class Guard:
    """Checks each request before its route sees it. Used as a dependency of the whole application."""

    def __init__(self, access: Access, cookie: str) -> None:
        self._access = access
        self._cookie = cookie

    async def __call__(self, request: Request) -> None:
        """Let a request pass, with ``request.state.signed_in`` set when someone is signed in.

        Raises:
            SignInNeededError: The route is not public and nobody is signed in.
            AccessError: The role may not open the route, or a changing request lacks the session's token.
        """
        path = getattr(request.scope.get("route"), "path", None)
        allowed = ROUTES.get((request.method, path)) if path else None
        if allowed is None:
            raise AccessError("no role may open this route")
        if request.method != "GET":
            check_same_site(request.headers)
        who = await asyncio.to_thread(self._access.signed_in, request.cookies.get(self._cookie))
        request.state.signed_in = who
        if not allowed:
            return
        if who is None:
            raise SignInNeededError(_return_target(request))
        if who.role not in allowed:
            raise AccessError("this role may not open this page")
        if request.method != "GET":
            await _check_token(request, who)


class SecurityHeaders:
    """Adds `SECURITY_HEADERS` to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def check_same_site(headers: Mapping[str, str]) -> None:
    """Refuse a changing request that a browser sends from another site's page.

    Raises:
        AccessError: The browser says that the request comes from elsewhere.
    """
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise AccessError("the request comes from another site")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise AccessError("the request comes from another site")


def safe_target(target: str) -> str:
    """Return ``target`` if it is a path on this site, else the front page."""
    is_path = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_path else "/"


def current(request: Request) -> SignedIn:
    """Return whoever is signed in, on a route that is not public."""
    return cast("SignedIn", request.state.signed_in)


def _return_target(request: Request) -> str:
    return quote(request.url.path, safe="/") if request.method == "GET" else "/"


async def _check_token(request: Request, who: SignedIn) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None:
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    if not tokens_match(who.csrf_token, given):
        raise AccessError("the request does not carry its session's token")
