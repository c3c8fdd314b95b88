"""The command line of the hub."""

import argparse
import asyncio
import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import segno
from pydantic import ValidationError

from forge_hub import access, control
from forge_hub.access import audit
from forge_hub.access.anchors import Anchors
from forge_hub.access.audit_events import audit_event
from forge_hub.app import ANCHORS, Hub
from forge_hub.doors import authority_of, doors_of, enrolment_of
from forge_hub.errors import HubConfigError, HubError, RecordsError
from forge_hub.fleet import bundle
from forge_hub.fleet.authority import Authority
from forge_hub.fleet.enrolment import Enrolment, check_node
from forge_hub.fleet.revocation import write_list
from forge_hub.holdings import records_url
from forge_hub.install_commands import add_install
from forge_hub.mind_commands import add_alignment, add_mind
from forge_hub.quarantine_commands import add_quarantine
from forge_hub.records.database import Database, open_database
from forge_hub.release_commands import add_releases
from forge_hub.rollout_commands import add_rollouts
from forge_hub.settings import PREFIX, HubSettings
from forge_hub.support_commands import add_support
from forge_hub.tag_commands import add_tagging
from forge_hub.train_commands import add_training
from forge_hub.twin_commands import add_twins
from forge_hub.upkeep_commands import add_upkeep
from forge_shared import logs
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
    # What is loaded stays as long as the hub. Python would look through it again and again, .1 s each time.
    gc.collect()
    gc.freeze()
    asyncio.run(Hub(settings).serve())


def _init(settings: HubSettings, _: argparse.Namespace) -> None:
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = authority_of(settings, SystemClock()).prepare(settings.site, doors_of(settings).names)
    for sentence in made or ["nothing to do: the site's keys are all there"]:
        print(f"forge-hub: {sentence}")


def _claim(settings: HubSettings, options: argparse.Namespace) -> None:
    doors = doors_of(settings)
    if doors.enrolment_url is None:
        raise HubConfigError("a claim is brought by HTTPS to the hub itself: set FORGE_HUB_TLS=own for `serve`, too")
    with _fleet(settings) as (enrolment, _):
        claim = enrolment.claim(options.node, access.COMMAND_LINE)
    line = f"{doors.enrolment_url} {claim.words}"
    segno.make(line, error="m").terminal(compact=True)
    print(f"On {claim.node}, until {claim.expires_at:%H:%M} UTC and once:\n\n  forge-edge enrol {line}\n")
    if (served := bundle.served(settings.folder / bundle.FOLDER)) is not None:
        install = bundle.line(served[1], doors.enrolment_url, claim.words)
        print(f"Or, on a fresh machine that shall become {claim.node}, as root:\n\n  {install}\n")


def _enrol(settings: HubSettings, options: argparse.Namespace) -> None:
    doors = doors_of(settings)
    with _fleet(settings) as (enrolment, authority):
        credentials = enrolment.issue(options.node, doors.address, doors.host)
        _apply_revocations(settings, enrolment, authority)
    out: Path = options.out or Path(f"{options.node}.json")
    replace(out.resolve(), credentials.to_json(), mode=0o600)
    print(f"{out}: give this file to the node as FORGE_EDGE_CREDENTIALS; an older one of '{options.node}' is void.")


def _revoke(settings: HubSettings, options: argparse.Namespace) -> None:
    with _fleet(settings) as (enrolment, authority):
        if not enrolment.revoke(options.node, access.COMMAND_LINE):
            raise HubError(f"'{options.node}' has nothing that could be revoked")
        _apply_revocations(settings, enrolment, authority)
    print(f"'{options.node}' is revoked: it is cut off and not let in again.")


@contextmanager
def _fleet(settings: HubSettings) -> Iterator[tuple[Enrolment, Authority]]:
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = SystemClock()
    authority = authority_of(settings, clock)
    if not authority.certificate_file.exists():
        # Only then: other names in this shell must not change what a serving hub shows.
        authority.prepare(settings.site, doors_of(settings).names)
    database = open_database(records_url(settings))
    try:
        yield enrolment_of(settings, database, authority, clock), authority
    finally:
        database.close()


def _apply_revocations(settings: HubSettings, enrolment: Enrolment, authority: Authority) -> None:
    """Let the serving hub make revocations effective; where none serves, its next start finds the list written."""
    reply = control.ask(settings.folder / "control.sock", "apply-revocations")
    if reply is None:
        write_list(enrolment, authority)
    elif not reply.get("ok"):
        raise HubError(str(reply.get("error", "the hub refused")))


def _setup_link(settings: HubSettings, options: argparse.Namespace) -> None:
    database = open_database(records_url(settings))
    print(access.create_setup_link(database, SystemClock(), doors_of(settings).address, options.role))
    database.close()


def _assign(settings: HubSettings, options: argparse.Namespace) -> None:
    with _records(settings) as database:
        access.Assignments(database, SystemClock()).assign_from_command_line(options.account, options.person)


def _device_token(settings: HubSettings, options: argparse.Namespace) -> None:
    check_node(options.node)
    with _records(settings) as database:
        print(access.make_device(database, SystemClock(), options.node))


def _second_factor_reset(settings: HubSettings, options: argparse.Namespace) -> None:
    with _records(settings) as database:
        access.reset_second_factor(database, SystemClock(), options.account)


def _audit_export(settings: HubSettings, _: argparse.Namespace) -> None:
    with _records(settings) as database:
        audit.note(database, SystemClock().now(), access.COMMAND_LINE, "audit.export", settings.site)
        for entry in audit.entries(database):
            print(json.dumps(audit_event(entry, settings.site), separators=(",", ":")))


def _audit_verify(settings: HubSettings, _: argparse.Namespace) -> None:
    with _records(settings) as database:
        broken = audit.verify(database, Anchors(settings.folder / ANCHORS).read())
        newest = audit.head(database)
    if broken is not None:
        raise RecordsError(f"the audit does not hold: {broken.kind} at position {broken.position}")
    print(f"{newest.position} entries hold; the newest is {newest.hash}")


@contextmanager
def _records(settings: HubSettings) -> Iterator[Database]:
    database = open_database(records_url(settings))
    try:
        yield database
    finally:
        database.close()


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
    command("init", _init, "Make the site's certificate authority and the hub's certificates; `serve` does it too.")
    claim = command("claim", _claim, "Issue a one-use claim with which a node enrols itself within 15 minutes.")
    claim.add_argument("node", help="name of the node: lower-case letters, digits, hyphens")
    revoke = command("revoke", _revoke, "Revoke a node: it is cut off within five seconds and not let in again.")
    revoke.add_argument("node", help="name of the node")
    enrol = command("enrol", _enrol, "Make a node's key and certificate here and write them to a credentials file.")
    enrol.add_argument("node", help="name of the node: lower-case letters, digits, hyphens")
    enrol.add_argument("--out", type=Path, help="file to write (default: NODE.json)")
    link = command("setup-link", _setup_link, "Print a one-time link with which a person makes an account.")
    link.add_argument("role", choices=["staff", "clinician", "admin"])
    assign = command("assign", _assign, "Assign a clinician to a person.")
    assign.add_argument("account", help="username of the clinician")
    assign.add_argument("person", help="pseudonym of the person's stay")
    device = command("device-token", _device_token, "Print a token for the patient's device in a room.")
    device.add_argument("node", help="name of the room's node")
    reset = command("second-factor-reset", _second_factor_reset, "Let an account set up its one-time codes anew.")
    reset.add_argument("account", help="username")
    trace = commands.add_parser("audit", help="Commands on the audit.").add_subparsers(required=True, metavar="COMMAND")
    trace.add_parser("export", help="Print it as FHIR AuditEvents, one a line.").set_defaults(run=_audit_export)
    trace.add_parser("verify", help="Prove that nothing was changed, else exit with 1.").set_defaults(run=_audit_verify)
    add_alignment(trace)
    add_tagging(add_mind(commands))
    add_upkeep(commands)
    add_quarantine(commands)
    add_releases(commands)
    add_twins(commands)
    add_rollouts(commands)
    add_install(commands)
    add_support(commands)
    add_training(commands)
    command("settings", _settings_help, "List every setting with its environment variable.")
    return parser


if __name__ == "__main__":
    sys.exit(main())
