"""The command line of the hub."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forge_hub import access, control
from forge_hub.app import Hub, graph_uri, rebuild, records_url
from forge_hub.broker.child import reload_users
from forge_hub.broker.users import HUB_USER, BrokerUsers
from forge_hub.errors import HubConfigError, HubError
from forge_hub.graph import open_graph
from forge_hub.quarantine_commands import add_quarantine
from forge_hub.records.database import open_database
from forge_hub.settings import PREFIX, HubSettings
from forge_shared import logs, topics
from forge_shared.clock import SystemClock
from forge_shared.environment import unknown_variables
from forge_shared.errors import ForgeError
from forge_shared.files import replace

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run the hub's command line.

    Returns:
        0 on success, 1 when the command failed, 2 when it was called wrongly.
    """
    options = _parser().parse_args(arguments)
    logs.configure("forge-hub", level=options.log_level)
    misspelt = unknown_variables(PREFIX, HubSettings.model_fields, os.environ)
    for name, nearest in misspelt:
        hint = f"; did you mean {nearest}?" if nearest else "; `forge-hub --help` says how to list them"
        print(f"forge-hub: {name}: there is no such setting{hint}", file=sys.stderr)
    if misspelt:
        return EXIT_USAGE
    try:
        settings = HubSettings()
    except ValidationError as error:
        for item in error.errors():
            name = PREFIX + "_".join(str(part) for part in item["loc"]).upper()
            print(f"forge-hub: {name}: {item['msg']}", file=sys.stderr)
        return EXIT_USAGE
    try:
        options.run(settings, options)
    except ForgeError as error:
        print(f"forge-hub: {error}", file=sys.stderr)
        return EXIT_FAILED
    return EXIT_OK


def _serve(settings: HubSettings, _: argparse.Namespace) -> None:
    asyncio.run(Hub(settings).serve())


def _enrol(settings: HubSettings, options: argparse.Namespace) -> None:
    if options.node == HUB_USER or not topics.is_name(options.node):
        raise HubConfigError("a node's name is lower-case letters, digits and hyphens, at most 63, and not 'hub'")
    home = settings.folder / "broker"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = BrokerUsers(home / "users").issue(options.node)
    reload_users(home / "pid")
    credentials = {
        "site": settings.site,
        "node": options.node,
        "host": settings.broker_host,
        "port": settings.broker_port,
        "password": password,
    }
    out: Path = options.out or Path(f"{options.node}.json")
    replace(out.resolve(), json.dumps(credentials, indent=1).encode() + b"\n", mode=0o600)
    print(f"{out}: give this file to the node as FORGE_EDGE_CREDENTIALS; an older one of '{options.node}' is void.")


def _setup_link(settings: HubSettings, options: argparse.Namespace) -> None:
    database = open_database(records_url(settings))
    address = settings.public_url or f"http://{settings.host}:{settings.port}"
    print(access.create_setup_link(database, SystemClock(), address, options.role))
    database.close()


def _graph_rebuild(settings: HubSettings, _: argparse.Namespace) -> None:
    reply = control.ask(settings.folder / "control.sock", "graph-rebuild")
    if reply is None:
        database = open_database(records_url(settings))
        graph = open_graph(graph_uri(settings), settings.graph_password)
        try:
            reply = {"ok": True, "events": rebuild(database, graph), **graph.counts()}
        finally:
            graph.close()
            database.close()
    if not reply.get("ok"):
        raise HubError(str(reply.get("error", "the hub refused")))
    print(json.dumps({key: value for key, value in reply.items() if key != "ok"}))


def _settings_help(_: HubSettings, __: argparse.Namespace) -> None:
    for name, field in HubSettings.model_fields.items():
        print(f"{PREFIX}{name.upper():16} {field.description} (default: {field.default})")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="forge-hub", description="The Persona-Forge hub.", epilog="Settings: `forge-hub settings` lists them."
    )
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, description: str) -> argparse.ArgumentParser:  # noqa: ANN401 (argparse keeps it untyped)
        sub = commands.add_parser(name, help=description, description=description)
        sub.set_defaults(run=run)
        return sub

    command("serve", _serve, "Run the hub until it is told to end.")
    enrol = command("enrol", _enrol, "Make broker credentials for a room node and write them to a file.")
    enrol.add_argument("node", help="name of the node: lower-case letters, digits, hyphens")
    enrol.add_argument("--out", type=Path, help="file to write (default: NODE.json)")
    link = command("setup-link", _setup_link, "Print a one-time link with which a person makes an account.")
    link.add_argument("role", choices=["staff", "clinician", "admin"])
    graph = commands.add_parser("graph", help="Commands on the knowledge graph.").add_subparsers(
        required=True, metavar="COMMAND"
    )
    rebuild_parser = graph.add_parser("rebuild", help="Drop the graph and derive it anew from the event log.")
    rebuild_parser.set_defaults(run=_graph_rebuild)
    add_quarantine(commands)
    command("settings", _settings_help, "List every setting with its environment variable.")
    return parser


if __name__ == "__main__":
    sys.exit(main())
