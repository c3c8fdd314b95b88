"""The command line's view of releases: ``forge-hub keys …`` and ``forge-hub model …``."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from getpass import getpass
from pathlib import Path
from typing import Protocol

from forge_hub.errors import ReleaseError
from forge_hub.import_commands import add_imports
from forge_hub.releases.approval import changes, read_document, sign_document
from forge_hub.releases.catalogue import APPROVALS, Catalogue
from forge_hub.releases.keys import make_key, open_key, read_public
from forge_hub.releases.package import read_release
from forge_hub.settings import HubSettings
from forge_shared.clock import SystemClock
from forge_shared.files import replace

PASSPHRASE = "FORGE_KEY_PASSPHRASE"  # noqa: S105 (the name of a variable)
"""Environment variable with a key's passphrase, for machines without a terminal."""


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_releases(commands: _Commands) -> None:
    """Add the commands to the command line."""
    keys = commands.add_parser("keys", help="Keys of the people who sign releases: make, begin, sign.")
    parts = keys.add_subparsers(required=True, metavar="COMMAND")
    make = _part(parts, "make", _make, "Make a person's key, on a machine of their own, and its public half beside it.")
    make.add_argument("file", type=Path, metavar="FILE")
    make.add_argument("--label", help="whose it is, shown on the hub's pages (default: FILE's name)")
    begin = _part(parts, "begin", _begin, "Name the site's people; the root's must sign it then (`keys sign`).")
    begin.add_argument("--root", type=Path, nargs="+", required=True, metavar="PUB", help="public keys of the root")
    begin.add_argument("--threshold", type=int, default=2, help="how many of them sign together (default: 2)")
    begin.add_argument(
        "--approvers", type=Path, nargs="+", required=True, metavar="PUB", help=f"of these {APPROVALS} sign a release"
    )
    sign = _part(parts, "sign", _sign, "Sign the first root with a person's key.")
    sign.add_argument("file", type=Path, metavar="KEY")

    words = "Model releases: import, inspect, add, approve, sign, publish, withdraw, list."
    model = commands.add_parser("model", help=words)
    parts = model.add_subparsers(required=True, metavar="COMMAND")
    inspect = _part(parts, "inspect", _inspect, "Check a release's folder and say what it is.")
    inspect.add_argument("folder", type=Path)
    add_imports(lambda name, run, description: _part(parts, name, run, description))
    add = _part(parts, "add", _add, "Check a release, pack it and stage it for approval.")
    add.add_argument("folder", type=Path)
    approve = _part(parts, "approve", _approve, "Approve what is staged with a person's key.")
    approve.add_argument("file", type=Path, metavar="KEY")
    sign_one = _part(parts, "sign", _sign_document, "Sign what the hub's page gave out; on a machine of one's own.")
    sign_one.add_argument("key", type=Path, metavar="KEY", help="the person's key")
    sign_one.add_argument("file", type=Path, metavar="FILE", help="as downloaded from the page")
    sign_one.add_argument(
        "--before", type=Path, metavar="FILE", help="what was signed last: only what differs is shown"
    )
    sign_one.add_argument("--out", type=Path, metavar="FILE", help="where the signature goes (default: FILE.sig)")
    withdraw = _part(parts, "withdraw", _withdraw, "Stage the releases without one; it takes the same approvals.")
    withdraw.add_argument("target", help="as `model list` names it")
    _part(parts, "publish", _publish, "Publish what is approved. Rooms get it when they are directed to it.")
    _part(parts, "list", _list, "List what is published and what waits for approval, as JSON lines.")


def _part(
    parts: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[HubSettings, argparse.Namespace], None],
    description: str,
) -> argparse.ArgumentParser:
    sub = parts.add_parser(name, help=description, description=description)
    sub.set_defaults(run=run)
    return sub


def _make(_: HubSettings, options: argparse.Namespace) -> None:
    label = options.file.stem if options.label is None else options.label
    key = make_key(options.file, _passphrase(confirm=True), label)
    print(f"{options.file}: keep it off the hub. {options.file}.pub is what the site is given. Key id {key.keyid[:16]}")


def _begin(settings: HubSettings, options: argparse.Namespace) -> None:
    root, approvers = ([read_public(path) for path in paths] for paths in (options.root, options.approvers))
    _catalogue(settings).begin(root, options.threshold, approvers)
    print(f"{options.threshold} signature(s) are missing: `forge-hub keys sign KEY`")


def _sign(settings: HubSettings, options: argparse.Namespace) -> None:
    _say_missing(_catalogue(settings).sign_roots(open_key(options.file, _passphrase())), "the first root holds")


def _inspect(_: HubSettings, options: argparse.Namespace) -> None:
    print(read_release(options.folder).manifest.model_dump_json(indent=1))


def _add(settings: HubSettings, options: argparse.Namespace) -> None:
    manifest = _catalogue(settings).add(options.folder)
    print(f"{manifest.target} waits for {APPROVALS} approvals: `forge-hub model approve KEY`")


def _approve(settings: HubSettings, options: argparse.Namespace) -> None:
    catalogue = _catalogue(settings)
    staged = catalogue.images.staged_targets()
    if staged is not None:
        changes = sorted(set(staged) ^ set(catalogue.images.targets()))
        print(f"This approves: {', '.join(changes) or 'the same releases'}", file=sys.stderr)
    _say_missing(catalogue.approve(open_key(options.file, _passphrase())), "approved: `forge-hub model publish`")


def _sign_document(_: HubSettings, options: argparse.Namespace) -> None:
    content = _read(options.file)
    document = read_document(content).signed
    before = read_document(_read(options.before)).signed.targets if options.before else {}
    print(f"{options.file.name}: version {document.version}, holds until {document.expires:%Y-%m-%d}", file=sys.stderr)
    found = changes(before, document.targets)
    for change in found:
        print(f"  {change.kind}: {change.target}, {change.size_bytes} bytes, SHA-256 {change.sha256}", file=sys.stderr)
    if not found:
        print("  no release at all" if not document.targets else "  nothing that differs", file=sys.stderr)
    approval = sign_document(content, open_key(options.key, _passphrase()))
    out = options.out or options.file.with_name(options.file.name + ".sig")
    try:
        replace(out, approval.model_dump_json(indent=1).encode() + b"\n")
    except OSError:
        raise ReleaseError(f"{out.name} cannot be written") from None
    print(f"{out}: bring it to the hub's page. Key id {approval.keyid[:16]}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise ReleaseError(f"{path.name} cannot be read") from None


def _withdraw(settings: HubSettings, options: argparse.Namespace) -> None:
    _catalogue(settings).withdraw(options.target)
    print(f"{options.target} is gone once {APPROVALS} people approve it and it is published")


def _publish(settings: HubSettings, _: argparse.Namespace) -> None:
    catalogue = _catalogue(settings)
    catalogue.publish()
    print(f"{len(catalogue.images.targets())} release(s) are published")


def _list(settings: HubSettings, _: argparse.Namespace) -> None:
    images = _catalogue(settings).images
    published, staged = images.targets(), images.staged_targets()
    for name, target in sorted({**published, **(staged or {})}.items()):
        state = "published" if name in published else "waits for approval"
        if staged is not None and name in published and name not in staged:
            state = "published; its withdrawal waits for approval"
        print(json.dumps({"target": name, "state": state, "bytes": target.length, **(target.custom or {})}))


def _catalogue(settings: HubSettings) -> Catalogue:
    return Catalogue(settings.folder / "releases", SystemClock())


def _say_missing(missing: int, done: str) -> None:
    print(done if missing == 0 else f"signed; {missing} more signature(s) are missing")


def _passphrase(*, confirm: bool = False) -> str:
    given = os.environ.get(PASSPHRASE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise ReleaseError(f"no terminal to ask for the passphrase: set {PASSPHRASE}")
    passphrase = getpass("Passphrase of the key: ")
    if confirm and getpass("Once more: ") != passphrase:
        raise ReleaseError("the two are not the same")
    return passphrase
