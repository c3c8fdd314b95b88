"""The command line's upkeep of a hub: ``forge-hub graph|erase|retention|backup|restore|export|backup-key``."""

import argparse
import getpass
import json
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from forge_hub import access, control
from forge_hub.access import audit
from forge_hub.backup import archive, rotation
from forge_hub.backup.cipher import Secret
from forge_hub.backup.restoring import known_erasures, restore
from forge_hub.errors import HubConfigError, HubError
from forge_hub.graph import exporting, open_graph
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import rebuild
from forge_hub.holdings import eraser_of, graph_uri, open_identities, records_url, retention_of
from forge_hub.passes import keeping
from forge_hub.records.database import Database, open_database
from forge_hub.records.export import bundle_of, forms_of
from forge_hub.retention import forget
from forge_hub.settings import HubSettings
from forge_shared.clock import SystemClock
from forge_shared.files import owned_folder, replace
from forge_shared.forms.questionnaire import installed
from forge_shared.sealing import Keyring

REASONS = ("asked", "order", "retention", "mistake")
"""Why a person is erased: they asked, an authority ordered it, their time is over, or they were filed by mistake."""


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str, description: str = ...) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_upkeep(commands: _Commands) -> None:
    """Add the commands to the command line."""

    def command(
        name: str, run: Callable[[HubSettings, argparse.Namespace], None], description: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=description, description=description)
        sub.set_defaults(run=run)
        return sub

    graph = commands.add_parser("graph", help="Commands on the knowledge graph.").add_subparsers(
        required=True, metavar="COMMAND"
    )
    rebuild_parser = graph.add_parser("rebuild", help="Drop the graph and derive it anew from the event log.")
    rebuild_parser.set_defaults(run=_graph_rebuild)
    export_graph = graph.add_parser("export", help="Write the graph, or one person's part of it, into a file.")
    export_graph.set_defaults(run=_graph_export)
    export_graph.add_argument("--format", choices=sorted(exporting.WRITERS), default="json", help="default: json")
    export_graph.add_argument("--person", metavar="PSEUDONYM", help="only this person's part (default: everything)")
    export_graph.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file; its folder exists")
    erase = command("erase", _erase, "Erase a person everywhere and print the proof.")
    erase.add_argument("pseudonym", help="pseudonym of the person's stay")
    erase.add_argument("--reason", required=True, choices=REASONS, help="why, for the audit")
    command("retention", _retention, "Forget what is older than the settings allow; the hub does it every day.")
    for name, run, description in (
        ("backup", _backup, "Write an encrypted backup; the hub may serve meanwhile."),
        ("restore", _restore, "Make a hub from a backup; it must not serve."),
    ):
        sub = command(name, run, description)
        sub.add_argument("file", type=Path, metavar="FILE")
        secret = sub.add_mutually_exclusive_group()
        secret.add_argument("--key-file", type=Path, help="key file, made by `forge-hub backup-key`")
        secret.add_argument("--passphrase-file", type=Path, help="file with the passphrase (default: ask for it)")
        if run is _backup:
            sub.add_argument(
                "--keep",
                type=_at_least_one,
                metavar="N",
                help="FILE is a folder: name the file after the moment, and remove all but the newest N",
            )
        if run is _restore:
            sub.add_argument("--force", action="store_true", help="replace a hub that is in use")
            sub.add_argument(
                "--erased", type=Path, action="append", default=[], help="proofs printed by `erase` since the backup"
            )
    export = command("export", _export, "Write a person's forms as FHIR R4, with ids made for this export alone.")
    export.add_argument("pseudonym", help="pseudonym of the person's stay")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the file")
    backup_key = command("backup-key", _backup_key, "Make a key file that seals and opens backups.")
    backup_key.add_argument("file", type=Path, metavar="FILE")


def _graph_rebuild(settings: HubSettings, _: argparse.Namespace) -> None:
    reply = control.ask(settings.folder / "control.sock", "graph-rebuild")
    if reply is None:
        database = open_database(records_url(settings))
        graph = open_graph(graph_uri(settings), settings.graph_password)
        try:
            reply = {"ok": True, "events": rebuild(database, graph), **graph.counts()}
            keeping.derive_anew(settings.folder)
        finally:
            graph.close()
            database.close()
    _print_reply(reply)


def _graph_export(settings: HubSettings, options: argparse.Namespace) -> None:
    file, person = options.out.absolute(), options.person
    with closing(open_database(records_url(settings))) as database:
        whose = person or settings.site
        audit.note(database, SystemClock().now(), access.COMMAND_LINE, "graph.export", whose, subject=person)
    asked = {"file": str(file), "form": options.format, "person": person}
    reply = control.ask(settings.folder / "control.sock", "graph-export", **asked)
    if reply is None:
        with closing(open_graph(graph_uri(settings), settings.graph_password)) as graph:
            reply = {"ok": True, **exporting.export(graph, file, options.format, person)}
    _print_reply(reply)


def _erase(settings: HubSettings, options: argparse.Namespace) -> None:
    reply = control.ask(settings.folder / "control.sock", "erase", pseudonym=options.pseudonym, reason=options.reason)
    if reply is None:
        clock = SystemClock()
        with (
            _stores(settings) as (folder, database, graph),
            closing(open_identities(settings, database, clock)) as identities,
        ):
            proof = eraser_of(settings, database, graph, folder, identities).erase(
                options.pseudonym, at=clock.now(), by=access.COMMAND_LINE, reason=options.reason
            )
        reply = {"ok": True, **proof.as_json()}
    _print_reply(reply)
    if reply["found"]:
        raise HubError("something of the person was found after the erasure: see `found`; run it again")


def _backup_key(_: HubSettings, options: argparse.Namespace) -> None:
    if options.file.exists():
        raise HubConfigError(f"{options.file.name} is there already: a new key would not open the old backups")
    Keyring.open(options.file)
    print(f"{options.file}: keep a copy where the backups are not. Without it nobody opens them.")


def _at_least_one(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError  # argparse says it
    return number


def _backup(settings: HubSettings, options: argparse.Namespace) -> None:
    at = SystemClock().now()
    file: Path = options.file if options.keep is None else options.file / rotation.name_of(at)
    database = open_database(records_url(settings))
    try:
        audit.note(database, at, access.COMMAND_LINE, "hub.backup", settings.site)
        manifest = archive.make(
            file,
            _secret(options, confirm=True),
            database,
            settings.folder,
            site=settings.site,
            at=at,
            progress=_progress,
        )
    finally:
        database.close()
    if options.keep is not None:
        # Only now that the new one is whole.
        for name in rotation.outdated([path.name for path in file.parent.iterdir()], options.keep):
            (file.parent / name).unlink()
    print(json.dumps({"file": str(file), **manifest.model_dump(mode="json")}))


def _restore(settings: HubSettings, options: argparse.Namespace) -> None:
    try:
        proofs = "\n".join(path.read_text(encoding="utf-8") for path in options.erased)
    except (OSError, UnicodeDecodeError):
        raise HubConfigError("cannot read a list of erasures") from None
    with (
        owned_folder(settings.folder) as folder,
        closing(open_graph(graph_uri(settings), settings.graph_password)) as graph,
    ):
        restored = restore(
            options.file,
            _secret(options, confirm=False),
            records_url(settings),
            folder,
            site=settings.site,
            erasures=known_erasures(proofs),
            force=options.force,
            at=SystemClock().now(),
            progress=_progress,
        )
        # They are of another past; the hub derives them anew when it starts.
        graph.clear()
        keeping.derive_anew(folder)
        with (
            closing(open_database(records_url(settings))) as database,
            closing(open_identities(settings, database, SystemClock())) as identities,
        ):
            for traces in restored.erased_again.values():
                for trace in traces:  # the id of the stay is among them
                    identities.forget(trace)
    print(
        json.dumps(
            {
                "events": restored.events,
                "erased_again": len(restored.erased_again),
                "made_at": restored.manifest.made_at.isoformat(),
                "hub_version": restored.manifest.hub_version,
            }
        )
    )


def _export(settings: HubSettings, options: argparse.Namespace) -> None:
    with closing(open_database(records_url(settings))) as database:
        recorded = forms_of(database, options.pseudonym)
        audit.note(
            database,
            SystemClock().now(),
            access.COMMAND_LINE,
            "person.export",
            options.pseudonym,
            subject=options.pseudonym,
        )
    bundle = bundle_of(recorded, installed(settings.forms_dir))
    target: Path = options.out / f"{uuid.uuid4()}.json"
    try:
        options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(target, json.dumps(bundle, indent=1).encode() + b"\n", mode=0o600)
    except OSError as error:
        raise HubConfigError(f"cannot write into {options.out.name} ({type(error).__name__})") from None
    print(target)


def _secret(options: argparse.Namespace, *, confirm: bool) -> Secret:
    if options.key_file is not None:
        return Secret(key_file=options.key_file)
    if options.passphrase_file is not None:
        try:
            return Secret(passphrase=options.passphrase_file.read_text(encoding="utf-8").rstrip("\n"))
        except (OSError, UnicodeDecodeError):
            raise HubConfigError(f"cannot read the passphrase from {options.passphrase_file.name}") from None
    passphrase = getpass.getpass("Passphrase of the backup: ")
    if confirm and getpass.getpass("Once more: ") != passphrase:
        raise HubConfigError("the two passphrases differ")
    return Secret(passphrase=passphrase)


def _progress(line: str) -> None:
    print(f"forge-hub: {line}", file=sys.stderr)


def _retention(settings: HubSettings, _: argparse.Namespace) -> None:
    reply = control.ask(settings.folder / "control.sock", "retention")
    if reply is None:
        with _stores(settings) as (folder, database, graph):
            forgotten = forget(database, graph, retention_of(settings), SystemClock().now())
            if any(forgotten.values()):
                keeping.forget_emptied(folder, database)
        reply = {"ok": True, **forgotten}
    _print_reply(reply)


@contextmanager
def _stores(settings: HubSettings) -> Iterator[tuple[Path, Database, GraphStore]]:
    """Open what a hub that does not serve leaves alone; no hub can start meanwhile."""
    with owned_folder(settings.folder) as folder:
        database = open_database(records_url(settings))
        try:
            graph = open_graph(graph_uri(settings), settings.graph_password)
            try:
                yield folder, database, graph
            finally:
                graph.close()
        finally:
            database.close()


def _print_reply(reply: Mapping[str, Any]) -> None:
    if not reply.get("ok"):
        raise HubError(str(reply.get("error", "the hub refused")))
    print(json.dumps({key: value for key, value in reply.items() if key != "ok"}))
