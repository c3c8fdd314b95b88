"""The command line's view of what the rooms are told: ``forge-hub twin list|show|history|set|back``."""

import argparse
import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from forge_hub import control
from forge_hub.doors import authority_of
from forge_hub.errors import BrokerError, HubError, TwinError
from forge_hub.fleet import plans
from forge_hub.fleet.revisions import drifts, history, plan_at
from forge_hub.fleet.twins import Twins
from forge_hub.holdings import plans_folder, records_url
from forge_hub.records import reading
from forge_hub.records.database import Database, open_database
from forge_hub.records.schema import TwinRevision
from forge_hub.settings import HubSettings
from forge_shared.clock import SystemClock

_SECRETS = ("agreed_word", "staff_pin")
"""Of these only that they are set is printed: a word or a PIN is found from its hash by trying."""


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_twins(commands: _Commands) -> None:
    """Add the commands to the command line."""
    parser = commands.add_parser("twin", help="What is set for the rooms: list, show, history, set, back.")
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = parts.add_parser("list", help="List the rooms as JSON lines: the revision wanted, and what each has.")
    listing.set_defaults(run=_list)
    show = parts.add_parser("show", help="Show what is set for a room, now or at a revision, as JSON.")
    show.add_argument("node", help="name of the node")
    show.add_argument("--revision", type=int, metavar="N", help="as `forge-hub twin history` lists them")
    show.set_defaults(run=_show)
    past = parts.add_parser("history", help="List a room's revisions as JSON lines: who, when, why; the newest first.")
    past.add_argument("node", help="name of the node")
    past.set_defaults(run=_history)
    put = parts.add_parser("set", help="Set a room's plan from a file.")
    put.add_argument("node", help="name of the node")
    put.add_argument("file", type=Path, help="the plan (JSON)")
    put.set_defaults(run=_set)
    back = parts.add_parser(
        "back", help="Set again what was set for a room before. Whose room it is and what is agreed to stay as now."
    )
    back.add_argument("node", help="name of the node")
    back.add_argument("--to", metavar="N", help="the revision (default: the newest at which something else was set)")
    back.set_defaults(run=_back)


def _list(settings: HubSettings, _: argparse.Namespace) -> None:
    with closing(open_database(records_url(settings))) as database:
        for drift in drifts(database):
            since = None if drift.since is None else drift.since.isoformat(timespec="seconds")
            print(json.dumps({"node": drift.node, "wanted": drift.wanted, "has": drift.has, "behind_since": since}))


def _show(settings: HubSettings, options: argparse.Namespace) -> None:
    with closing(open_database(records_url(settings))) as database:
        revision = options.revision
        if revision is None:
            revision = next((each.wanted for each in drifts(database) if each.node == options.node), 0)
        revision, plan = plan_at(database, options.node, revision)
    said: dict[str, Any] = {} if plan is None else plan.model_dump(mode="json", exclude_none=True)
    said |= {name: "set" for name in _SECRETS if name in said}
    print(json.dumps({"node": options.node, "revision": revision, "plan": None if plan is None else said}, indent=1))


def _history(settings: HubSettings, options: argparse.Namespace) -> None:
    with closing(open_database(records_url(settings))) as database:
        rows = history(database, options.node)
        names = reading.usernames(database, {row.account for row in rows})
    for row in rows:
        print(json.dumps(_facts(row, names.get(row.account, row.account))))


def _facts(row: TwinRevision, who: str) -> dict[str, Any]:
    return {
        "revision": row.revision,
        "at": row.at.isoformat(timespec="seconds"),
        "by": who,
        "reason": row.reason,
        "changed": row.parts.split(),
        "plan_of": row.plan_since,
        **({} if row.back_to is None else {"back_to": row.back_to}),
    }


def _set(settings: HubSettings, options: argparse.Namespace) -> None:
    try:
        plan = plans.read(options.file)
    except FileNotFoundError:
        raise TwinError(f"there is no file {options.file.name}") from None
    told = _ask(settings, "twin-set", node=options.node, plan=plan.model_dump_json())
    print(f"'{options.node}' is told so with revision {told['revision']}: `forge-hub twin list` shows when it has it")


def _back(settings: HubSettings, options: argparse.Namespace) -> None:
    told = _ask(settings, "twin-back", node=options.node, revision=options.to)
    print(f"'{options.node}' is told with revision {told['revision']} what was set for it at {told['back_to']}")


def _ask(settings: HubSettings, command: str, **arguments: str | None) -> Any:  # noqa: ANN401 (a JSON object)
    """Let the serving hub do it; where none serves it is done here, and the rooms are told when one does."""
    reply = control.ask(settings.folder / "control.sock", command, **arguments)
    if reply is None:
        with closing(open_database(records_url(settings))) as database:
            return asyncio.run(_alone(settings, database).commands[command](**arguments))
    if not reply.get("ok"):
        raise HubError(str(reply.get("error", "the hub refused")))
    return reply


def _alone(settings: HubSettings, database: Database) -> Twins:
    async def publish(_: str, __: bytes) -> None:
        raise BrokerError("no hub serves")

    clock = SystemClock()
    sign = authority_of(settings, clock).hub_signature
    return Twins(settings.site, database, publish, sign=sign, clock=clock, plans=plans_folder(settings))
