"""`forge-hub support-bundle`: what helps those who help with a hub, and nothing of people."""

import argparse
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
from sqlalchemy import func, select

import forge_hub
import forge_language
import forge_shared
from forge_hub.doors import doors_of
from forge_hub.errors import HubConfigError, HubError
from forge_hub.holdings import records_url
from forge_hub.records.database import open_database
from forge_hub.records.schema.base import Base
from forge_hub.settings import HubSettings
from forge_shared import support

UNIT = "forge-hub.service"
ANSWER_SECONDS = 10.0
"""The hub answers within five, or says that its stores are slow."""
_CODE = re.compile(r"[a-z][a-z.-]{0,60}")


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_support(commands: _Commands) -> None:
    """Add the command to the command line."""
    text = "Write what helps those who help with this hub: versions, codes and figures, nothing of people."
    bundle = commands.add_parser("support-bundle", help=text, description=text)
    bundle.set_defaults(run=_write)
    bundle.add_argument("file", type=Path, metavar="FILE", help="a .tar.gz; look into it before you give it away")
    bundle.add_argument("--log", type=Path, metavar="FILE", help=f"its log (default: the journal of {UNIT})")


def _write(settings: HubSettings, options: argparse.Namespace) -> None:
    try:
        if options.log is None:
            write_bundle(settings, options.file)
        else:
            with options.log.open(encoding="utf-8", errors="replace") as lines:
                write_bundle(settings, options.file, lines)
    except OSError as error:
        raise HubConfigError(f"cannot read the log or write the bundle ({type(error).__name__})") from None
    print(options.file)
    print("forge-hub: look into it before you give it away", file=sys.stderr)


def write_bundle(settings: HubSettings, path: Path, log: Iterable[str] | None = None) -> None:
    """Write the bundle.

    Args:
        settings: How the hub is run.
        path: The file.
        log: Lines of its log; None: the journal of its unit.

    Raises:
        OSError: It cannot be written.
    """
    lines = support.journal_of(UNIT) if log is None else log
    parts = {
        "versions": support.versions(),
        "settings": support.settings_of(settings),
        "health": _health(settings),
        "log": support.events_of(lines, support.codes_of([forge_hub, forge_language, forge_shared])),
        "rows": _rows(settings),
        "disk": support.disk_of(settings.folder) if settings.folder.is_dir() else {},
        "made": {"at": datetime.now(UTC).isoformat(timespec="minutes"), "of": "hub"},
    }
    support.write(path, parts)


def _health(settings: HubSettings) -> dict[str, Any]:
    """Return what the serving hub says of its parts: codes alone."""
    authority = settings.folder / "authority" / "authority.pem"
    try:
        own = doors_of(settings).own
        address = f"{'https' if own else 'http'}://{_loopback(settings.host)}:{settings.port}/healthz"
        trust = httpx.create_ssl_context(verify=str(authority)) if own else True
        said = httpx.get(address, timeout=ANSWER_SECONDS, verify=trust).json()
    except (HubError, httpx.HTTPError, OSError, ValueError):
        return {"status": "no answer"}
    parts = said.get("parts", {}) if isinstance(said, dict) else {}
    codes = {"status": said.get("status"), **parts} if isinstance(parts, dict) else {}
    return {name: code for name, code in codes.items() if _is_code(name) and _is_code(code)}


def _loopback(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 (read, not bound)


def _is_code(value: object) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _rows(settings: HubSettings) -> dict[str, int]:
    """Return how many rows each table of the records has; nothing where they cannot be opened."""
    try:
        database = open_database(records_url(settings))
    except HubError:
        return {}
    try:
        with database.read() as transaction:
            tables = Base.metadata.sorted_tables
            return {one.name: transaction.scalar(select(func.count()).select_from(one)) or 0 for one in tables}
    finally:
        database.close()
