"""The command line's view of the quarantine: ``forge-hub quarantine list|show|replay``."""

import argparse
import dataclasses
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Protocol

from forge_hub import access, control
from forge_hub.access import audit
from forge_hub.errors import HubError
from forge_hub.holdings import records_url
from forge_hub.ingest.replay import entries, entry
from forge_hub.ingest.store import IngestStore
from forge_hub.records.database import Database, open_database
from forge_hub.records.schema import Quarantine
from forge_hub.settings import HubSettings
from forge_shared.clock import SystemClock


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_quarantine(commands: _Commands) -> None:
    """Add the commands to the command line."""
    parser = commands.add_parser("quarantine", help="Messages that could not be read: list, show, replay.")
    parts = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = parts.add_parser("list", help="List them: id, time, node, lane, reason.")
    listing.set_defaults(run=_list)
    show = parts.add_parser("show", help="Show one of them; its content only with --payload.")
    show.add_argument("id")
    show.add_argument("--payload", action="store_true", help="also print what was sent, which may be about a person")
    show.set_defaults(run=_show)
    again = parts.add_parser("replay", help="Let what this version can read enter the log, exactly once.")
    which = again.add_mutually_exclusive_group(required=True)
    which.add_argument("id", nargs="?")
    which.add_argument("--all", action="store_true")
    again.set_defaults(run=_replay)


def _list(settings: HubSettings, _: argparse.Namespace) -> None:
    with closing(open_database(records_url(settings))) as database:
        for row in entries(database):
            print(json.dumps(_facts(row)))


def _show(settings: HubSettings, options: argparse.Namespace) -> None:
    with closing(open_database(records_url(settings))) as database:
        row = entry(database, options.id)
        if options.payload:
            _note(database, settings, "quarantine.read", row.id)
    print(json.dumps({**_facts(row), "topic": row.topic, "bytes": len(row.payload)}, indent=1))
    if options.payload:
        print(row.payload.decode(errors="backslashreplace"))


def _replay(settings: HubSettings, options: argparse.Namespace) -> None:
    # Only one process writes the log: while a hub serves, it is asked.
    reply = control.ask(settings.folder / "control.sock", "quarantine-replay", entry_id=options.id)
    if reply is None:
        with closing(open_database(records_url(settings))) as database:
            replayed = IngestStore(settings.site, database, SystemClock()).replay(options.id)
        reply = {"ok": True, **dataclasses.asdict(replayed)}
    if not reply.get("ok"):
        raise HubError(str(reply.get("error", "the hub refused")))
    with closing(open_database(records_url(settings))) as database:
        _note(database, settings, "quarantine.replay", options.id)
    print(json.dumps({key: value for key, value in reply.items() if key != "ok"}))


def _note(database: Database, settings: HubSettings, action: str, entry_id: str | None) -> None:
    audit.note(database, SystemClock().now(), access.COMMAND_LINE, action, entry_id or settings.site)


def _facts(row: Quarantine) -> Mapping[str, Any]:
    return {
        "id": row.id,
        "received_at": row.received_at.isoformat(timespec="seconds"),
        "node": row.node,
        "lane": row.lane,
        "reason": row.reason,
    }
