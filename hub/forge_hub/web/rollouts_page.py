"""The admin's pages of roll-outs: begin, watch live, pause, end; groups, locks, and what ran in a room when."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import FastAPI, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from forge_hub.errors import NotFoundError, ReleaseError
from forge_hub.records import reading
from forge_hub.releases.rollout import RINGS, RolloutState
from forge_hub.web import release_wording
from forge_hub.web.guard import address_of
from forge_hub.web.releases_view import read_state
from forge_hub.web.rollouts_view import (
    BAR_WIDTH,
    DAYS,
    accounts_of,
    bar,
    counted,
    group_names,
    in_order,
    read_rings,
    read_window,
    window_words,
)
from forge_hub.web.site import Site, SiteOf, Who

Id = Annotated[str, Path(max_length=64)]
Word = Annotated[str, Form(max_length=200)]
Words = Annotated[list[Annotated[str, Form(max_length=100)]], Form(max_length=200)]


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_beginning(app)
    _add_watching(app)
    _add_acts(app)


def _add_beginning(app: FastAPI) -> None:
    @app.get("/rollouts")
    def rollouts(request: Request, site: SiteOf) -> HTMLResponse:
        found = site.parts.releases.rollouts.all()
        return site.pages.page(request, "rollouts.html", rollouts=found, **_values(site, found))

    @app.get("/rollouts/new")
    def new(request: Request, site: SiteOf, target: Annotated[str, Query(max_length=120)] = "") -> HTMLResponse:
        return _new(request, site, {"target": target, "rings": ", ".join(map(str, RINGS))})

    @app.post("/rollouts")
    def start(  # noqa: PLR0913 (a form's fields)
        request: Request,
        site: SiteOf,
        who: Who,
        target: Word = "",
        rings: Word = "",
        why: Annotated[str, Form(max_length=500)] = "",
        groups: Words = [],  # noqa: B006 (FastAPI copies it)
        days: Annotated[list[Annotated[int, Form(ge=0, le=6)]], Form(max_length=7)] = [],  # noqa: B006 (as above)
        begins: Word = "",
        ends: Word = "",
        soak_hours: Word = "",
    ) -> Response:
        given = {
            "target": target,
            "rings": rings,
            "why": why,
            "groups": groups,
            "days": days,
            "begins": begins,
            "ends": ends,
            "soak_hours": soak_hours,
        }
        try:
            rollout = site.parts.releases.rollouts.start(
                target,
                account=who.account_id,
                why=_reason(why),
                groups=groups,
                rings=read_rings(rings),
                window=read_window(days, begins, ends),
                soak_hours=_hours(soak_hours),
                address=address_of(request),
            )
        except (ReleaseError, NotFoundError) as error:
            return _new(request, site, given, status=422, problem=str(error))
        return RedirectResponse(f"/rollouts/{rollout}", status_code=303)


def _add_watching(app: FastAPI) -> None:
    @app.get("/rollouts/{rollout_id}")
    def one(request: Request, rollout_id: Id, site: SiteOf) -> HTMLResponse:
        return _one(request, site, rollout_id)

    @app.get("/rollouts/{rollout_id}/stream")
    async def stream(request: Request, rollout_id: Id, site: SiteOf) -> StreamingResponse:
        token = request.cookies.get(site.cookie)
        await asyncio.to_thread(site.parts.releases.rollouts.state, rollout_id)

        def render() -> str | None:
            now_in = site.access.signed_in(token, touch=False)
            if now_in is None or now_in.role != "admin":
                return None
            return site.pages.fragment("rollout_progress.html", who=now_in, **_progress(site, rollout_id))

        events: AsyncIterator[str] = site.streams.follow(render)
        return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _add_acts(app: FastAPI) -> None:
    @app.post("/rollouts/{rollout_id}/{act}")
    def act(  # noqa: PLR0913 (a form's fields)
        request: Request,
        rollout_id: Id,
        act: Annotated[str, Path(pattern="^(pause|resume|stop|withdraw)$")],
        site: SiteOf,
        who: Who,
        why: Annotated[str, Form(max_length=500)] = "",
    ) -> Response:
        rollouts, address = site.parts.releases.rollouts, address_of(request)
        account, reason = who.account_id, why.strip() or None
        try:
            match act:
                case "pause":
                    rollouts.pause(rollout_id, account=account, why=reason, address=address)
                case "resume":
                    rollouts.resume(rollout_id, account=account, why=reason, address=address)
                case "stop":
                    rollouts.stop(rollout_id, account=account, why=reason, address=address)
                case _:
                    rollouts.withdraw(rollout_id, account=account, why=_reason(why), address=address)
        except ReleaseError as error:
            return _one(request, site, rollout_id, status=422, problem=str(error))
        return RedirectResponse(f"/rollouts/{rollout_id}", status_code=303)


def _reason(why: str) -> str:
    if not why.strip():
        raise ReleaseError("say why: it stands in the history")
    return why.strip()


def _hours(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise ReleaseError("how long a ring is watched is a number of hours") from None


def _new(request: Request, site: Site, given: dict[str, Any], *, status: int = 200, problem: str = "") -> HTMLResponse:
    state = read_state(site.parts.releases.catalogue)
    empty = {"why": "", "groups": [], "days": [], "begins": "", "ends": "", "soak_hours": ""}
    return site.pages.page(
        request,
        "rollout_new.html",
        status=status,
        published=[each for each in state.releases if each.state != "waiting"],
        groups=site.parts.releases.rollouts.groups(),
        group_names=group_names(site.parts.register.wards()),
        given={**empty, **given},
        days=DAYS,
        zone=site.parts.zone,
        problem=problem,
    )


def _one(request: Request, site: Site, rollout: str, *, status: int = 200, problem: str = "") -> HTMLResponse:
    return site.pages.page(request, "rollout.html", status=status, problem=problem, **_progress(site, rollout))


def _progress(site: Site, rollout: str) -> dict[str, Any]:
    state = site.parts.releases.rollouts.state(rollout)
    return {"rollout": state, **_values(site, [state])}


def _values(site: Site, rollouts: Sequence[RolloutState]) -> dict[str, Any]:
    return {
        "names": {**reading.usernames(site.parts.database, accounts_of(rollouts)), "command-line": "the command line"},
        "words": release_wording,
        "bar": bar,
        "bar_width": BAR_WIDTH,
        "counted": counted,
        "in_order": in_order,
        "window_words": window_words,
        "group_names": group_names(site.parts.register.wards()),
        "zone": site.parts.zone,
    }
