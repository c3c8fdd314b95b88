"""The admin's HTTP API of roll-outs: the pages' acts as JSON, under the same session and the same roles."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, Field, TypeAdapter

from forge_hub.records import reading
from forge_hub.releases.history import Ran
from forge_hub.releases.rollout import RINGS, RolloutState, Window
from forge_hub.web.guard import CSRF_HEADER, address_of
from forge_hub.web.site import SiteOf, Who
from forge_shared.model import Frozen
from forge_shared.releases import ReleaseRole

Id = Annotated[str, Path(max_length=64)]
Name = Annotated[str, Field(max_length=64)]
Why = Annotated[str, Field(min_length=1, max_length=500)]

_STATE: Final = TypeAdapter(RolloutState)
_RAN: Final = TypeAdapter(Ran)


class RolloutStart(Frozen):
    """A roll-out to begin.

    Attributes:
        target: A published release.
        why: Stands in the history.
        groups: Names of groups; empty: every room.
        rings: Shares of the rooms in per cent, each with those before it.
        window: When rooms may be told; None: at any time.
        soak_hours: How long half of a ring's rooms use it before the next opens; None: a day.
    """

    target: Annotated[str, Field(max_length=120)]
    why: Why
    groups: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    rings: Annotated[tuple[Annotated[int, Field(ge=1, le=100)], ...], Field(min_length=1, max_length=20)] = RINGS
    window: Window | None = None
    soak_hours: Annotated[float, Field(ge=0, le=720)] | None = None


class Reason(Frozen):
    """Why something is done."""

    why: Why | None = None


NO_REASON: Final = Reason()


class NeededReason(Frozen):
    """Why something is done; it must be said."""

    why: Why


class Group(Frozen):
    """The rooms of a group; none: the group is taken away."""

    nodes: Annotated[tuple[Name, ...], Field(max_length=2000)]


class Lock(Frozen):
    """A lock of a room against new releases; without ``until`` it is taken away."""

    node: Name
    until: AwareDatetime | None


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    _add_rollouts(app)
    _add_acts(app)
    _add_rooms(app)


def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of what this API takes and answers, by name."""
    taken: Mapping[str, type[Frozen]] = {"api-rollout-start": RolloutStart, "api-group": Group, "api-lock": Lock}
    return {
        **{name: model.model_json_schema() for name, model in taken.items()},
        "api-rollout": _STATE.json_schema(),
        "api-ran": _RAN.json_schema(),
    }


def _add_rollouts(app: FastAPI) -> None:
    @app.get("/v1/admin/rollouts")
    def rollouts(site: SiteOf, who: Who) -> JSONResponse:
        """Every roll-out as it stands (`api-rollout`), the newest first."""
        found = [_plain(each) for each in site.parts.releases.rollouts.all()]
        return JSONResponse({"rollouts": found}, headers={CSRF_HEADER: who.csrf_token})

    @app.post("/v1/admin/rollouts")
    def start(request: Request, wanted: RolloutStart, site: SiteOf, who: Who) -> JSONResponse:
        """Begin a roll-out (`api-rollout-start`). 201 with its id."""
        rollout = site.parts.releases.rollouts.start(
            wanted.target,
            account=who.account_id,
            why=wanted.why,
            groups=wanted.groups,
            rings=wanted.rings,
            window=wanted.window,
            soak_hours=wanted.soak_hours,
            address=address_of(request),
        )
        return JSONResponse({"id": rollout}, status_code=201)

    @app.get("/v1/admin/rollouts/{rollout_id}")
    def rollout(rollout_id: Id, site: SiteOf, who: Who) -> JSONResponse:
        """One roll-out: its rings with each room's state and reason, what was found of the release (`api-rollout`)."""
        state = _plain(site.parts.releases.rollouts.state(rollout_id))
        return JSONResponse(state, headers={CSRF_HEADER: who.csrf_token})


def _add_acts(app: FastAPI) -> None:
    @app.post("/v1/admin/rollouts/{rollout_id}/pause")
    def pause(request: Request, rollout_id: Id, site: SiteOf, who: Who, reason: Reason = NO_REASON) -> JSONResponse:
        """Tell no further room until it is resumed; `why` may be given."""
        rollouts = site.parts.releases.rollouts
        rollouts.pause(rollout_id, account=who.account_id, why=reason.why, address=address_of(request))
        return JSONResponse(_plain(rollouts.state(rollout_id)))

    @app.post("/v1/admin/rollouts/{rollout_id}/resume")
    def resume(request: Request, rollout_id: Id, site: SiteOf, who: Who, reason: Reason = NO_REASON) -> JSONResponse:
        """Go on; `why` may be given."""
        rollouts = site.parts.releases.rollouts
        rollouts.resume(rollout_id, account=who.account_id, why=reason.why, address=address_of(request))
        return JSONResponse(_plain(rollouts.state(rollout_id)))

    @app.post("/v1/admin/rollouts/{rollout_id}/stop")
    def stop(request: Request, rollout_id: Id, site: SiteOf, who: Who, reason: Reason = NO_REASON) -> JSONResponse:
        """Tell no further room, for good; rooms that have the release keep it. `why` may be given."""
        rollouts = site.parts.releases.rollouts
        rollouts.stop(rollout_id, account=who.account_id, why=reason.why, address=address_of(request))
        return JSONResponse(_plain(rollouts.state(rollout_id)))

    @app.post("/v1/admin/rollouts/{rollout_id}/withdraw")
    def withdraw(request: Request, rollout_id: Id, reason: NeededReason, site: SiteOf, who: Who) -> JSONResponse:
        """Send every room back to what it had; `why` is needed."""
        rollouts = site.parts.releases.rollouts
        rollouts.withdraw(rollout_id, account=who.account_id, why=reason.why, address=address_of(request))
        return JSONResponse(_plain(rollouts.state(rollout_id)))


def _add_rooms(app: FastAPI) -> None:
    @app.get("/v1/admin/groups")
    def groups(site: SiteOf, who: Who) -> JSONResponse:
        """Every group with its rooms."""
        found = {name: list(nodes) for name, nodes in site.parts.releases.rollouts.groups().items()}
        return JSONResponse({"groups": found}, headers={CSRF_HEADER: who.csrf_token})

    @app.post("/v1/admin/groups/{name}")
    def set_group(request: Request, name: Id, group: Group, site: SiteOf, who: Who) -> JSONResponse:
        """Make a group or change it (`api-group`)."""
        rollouts = site.parts.releases.rollouts
        rollouts.set_group(name, group.nodes, account=who.account_id, address=address_of(request))
        return JSONResponse({"groups": {each: list(nodes) for each, nodes in rollouts.groups().items()}})

    @app.get("/v1/admin/locks")
    def locks(site: SiteOf, who: Who) -> JSONResponse:
        """Which rooms are locked against new releases, until when."""
        return JSONResponse(_locks(site.parts.releases.rollouts.locks()), headers={CSRF_HEADER: who.csrf_token})

    @app.post("/v1/admin/locks")
    def lock(request: Request, wanted: Lock, site: SiteOf, who: Who) -> JSONResponse:
        """Lock a room until a moment, or take its lock away (`api-lock`)."""
        rollouts = site.parts.releases.rollouts
        rollouts.lock(wanted.node, wanted.until, account=who.account_id, address=address_of(request))
        return JSONResponse(_locks(rollouts.locks()))

    @app.get("/v1/admin/ran")
    def ran(
        site: SiteOf,
        who: Who,
        node: Annotated[str, Query(max_length=64)],
        role: ReleaseRole,
        at: AwareDatetime,
    ) -> JSONResponse:
        """What served a role in a room at a moment, RFC 3339 with its offset (`api-ran`)."""
        reading.room(site.parts.database, node)
        found = site.parts.releases.rollouts.ran(node, role, at)
        return JSONResponse(_RAN.dump_python(found, mode="json"), headers={CSRF_HEADER: who.csrf_token})


def _plain(state: RolloutState) -> Any:  # noqa: ANN401 (JSON)
    return _STATE.dump_python(state, mode="json")


def _locks(locks: Mapping[str, datetime]) -> dict[str, Any]:
    return {"locks": {node: until.isoformat() for node, until in locks.items()}}
