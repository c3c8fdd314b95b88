"""The command line's view of what a fresh machine becomes a node from: ``forge-hub install-bundle``."""

import argparse
from pathlib import Path
from typing import Protocol

from forge_hub.doors import doors_of
from forge_hub.fleet import bundle
from forge_hub.settings import HubSettings


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_install(commands: _Commands) -> None:
    """Add the command to the command line."""
    text = "Let the hub serve what a fresh machine becomes a node from, and print the line that does it."
    make = commands.add_parser("install-bundle", help=text, description=text)
    make.set_defaults(run=_make)
    make.add_argument("wheels", type=Path, nargs="+", metavar="WHEEL", help="the node's three wheels")
    make.add_argument(
        "--packages", type=Path, metavar="FOLDER", help="put these packages in, for rooms that reach the hub alone"
    )


def _make(settings: HubSettings, options: argparse.Namespace) -> None:
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = bundle.make(options.wheels, options.packages, settings.folder / bundle.FOLDER)
    print(f"Nodes of version {made.version}, {made.bytes / 1e6:.1f} MB, SHA-256 {made.sha256}")
    url = doors_of(settings).enrolment_url
    if url is None:
        print("By hand only: the hub serves nothing to rooms without FORGE_HUB_TLS=own.")
    else:
        print(f"On the new machine, as root; `forge-hub claim NODE` gives its words:\n\n  {bundle.line(made, url)}\n")
    print(f"By hand: carry {settings.folder / bundle.FOLDER / 'node.tar'} there and do the same from sha256sum on.")
