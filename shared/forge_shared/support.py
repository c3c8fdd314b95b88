"""What a program tells those who help with it, without anything of people, keys or the house.

Everything is taken by lists of what may go, never by lists of what may not: codes that stand in our own source,
versions, figures, and of settings which are set, with the values of those that are numbers, switches or choices.
"""

import io
import json
import platform
import re
import shutil
import sqlite3
import subprocess
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from enum import Enum
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from forge_shared.errors import ForgeError
from forge_shared.files import durable

NAME = "persona-forge-support"
"""The folder in the bundle."""
JOURNAL_DAYS = 7
JOURNAL_SECONDS = 60
MOST_LINES = 500_000
"""Of a log. Ours: a week of a node has some thousands."""

_LOGGED = re.compile(r"\.(?:debug|info|warning|error|exception|critical)\(\s*\"([a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+)\"")
_PLACE = re.compile(r"(forge_[a-z]+/[a-z_/]+\.py:\d+)$")
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_HOUR = re.compile(r"^\d{4}-\d\d-\d\dT\d\d")
_SIZED = frozenset({".db", ".db-wal", ".lbdb", ".json", ".key", ".onnx", ".npz", ".plan", ".tar", ".csv", ".pem"})


def codes_of(packages: Sequence[ModuleType]) -> frozenset[str]:
    """Return the codes of the events that the source of our packages logs, and of their errors."""
    files = [path for package in packages for folder in package.__path__ for path in Path(folder).rglob("*.py")]
    logged = {code for path in files for code in _LOGGED.findall(path.read_text(encoding="utf-8"))}
    return frozenset(logged | {kind.code for kind in _kinds(ForgeError)})


def events_of(lines: Iterable[str], codes: frozenset[str]) -> list[dict[str, Any]]:
    """Count a log's events: by code, level, error and place in our source, with the first and the last hour.

    Args:
        lines: Of the log, JSON each; what is none is counted.
        codes: What may be named; everything else is counted as ``other``.
    """
    found: dict[tuple[str, str, str, str], list[str]] = {}
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for _, line in zip(range(MOST_LINES), lines, strict=False):
        entry = _entry(line)
        places = [place[1] for one in _list(entry.get("error_at")) if (place := _PLACE.search(str(one)))]
        level = str(entry.get("level"))
        key = (
            _among(codes, entry.get("event")),
            level if level in _LEVELS else "unknown",
            _among(codes, entry.get("code") or entry.get("error")) if entry.keys() & {"code", "error"} else "",
            places[-1] if places else "",
        )
        counts[key] += 1
        hour = _HOUR.match(str(entry.get("timestamp")))
        found.setdefault(key, []).extend([hour[0]] if hour else [])
    names = ("event", "level", "error", "place")
    return [
        {
            **{name: part for name, part in zip(names, key, strict=True) if part},
            "count": count,
            "first": min(found[key], default=None),
            "last": max(found[key], default=None),
        }
        for key, count in sorted(counts.items())
    ]


def journal_of(unit: str) -> Iterator[str]:
    """Return the lines that a unit has logged in the last days; nothing where there is no journal or no right to it."""
    command = ["journalctl", f"--unit={unit}", f"--since=-{JOURNAL_DAYS}d", "--output=cat", "--no-pager", "--quiet"]
    try:
        told = subprocess.run(command, capture_output=True, timeout=JOURNAL_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return iter(())
    return iter(told.decode(errors="replace").splitlines())


def settings_of(settings: BaseModel) -> dict[str, Any]:
    """Return which settings differ from their defaults; the values of numbers, switches and choices alone."""
    shown: dict[str, Any] = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if value != field.default:
            shown[name] = value if is_closed(field) and isinstance(value, bool | int | float | str) else "set"
    return shown


def is_closed(field: FieldInfo) -> bool:
    """Tell whether a field's values come from a closed set or are numbers."""
    kinds = _leaves(field.annotation)
    return bool(kinds) and all(kind in {bool, int, float, type(None)} or kind is Literal for kind in kinds)


def versions() -> dict[str, Any]:
    """Return what runs here: Python, system, kernel, packages."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "system": _system(),
        "packages": sorted(f"{one.metadata['Name']}=={one.version}" for one in distributions()),
    }


def disk_of(folder: Path) -> dict[str, Any]:
    """Return how full the state folder's disk is and how large kinds of its files are, without their names."""
    usage = shutil.disk_usage(folder)
    sizes: Counter[str] = Counter()
    number: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            kind = path.suffix if path.suffix in _SIZED else "other"
            sizes[kind] += path.stat().st_size
            number[kind] += 1
    kinds = {kind: {"files": number[kind], "bytes": size} for kind, size in sorted(sizes.items())}
    return {"bytes": usage.total, "free_bytes": usage.free, "kinds": kinds}


def rows_of(database: Path) -> dict[str, int]:
    """Return how many rows each table of an SQLite file has; nothing where it cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            counted = {name: connection.execute(f'SELECT count(*) FROM "{name}"') for name in names}  # noqa: S608 (its own)
            return {name: int(result.fetchone()[0]) for name, result in counted.items()}
    except sqlite3.Error:
        return {}


def write(path: Path, parts: Mapping[str, Any]) -> None:
    """Write the bundle: a tar with one JSON file for each part, readable before it is given away; mode 0600.

    Raises:
        OSError: It cannot be written.
    """
    with durable(path.absolute(), mode=0o600) as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, part in parts.items():
            content = json.dumps(part, indent=1, sort_keys=True).encode() + b"\n"
            entry = tarfile.TarInfo(f"{NAME}/{name}.json")
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _among(codes: frozenset[str], value: object) -> str:
    return value if isinstance(value, str) and value in codes else "other"


def _leaves(annotation: object) -> list[object]:
    origin = get_origin(annotation)
    if origin is Literal:
        return [Literal]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [Literal]
    arguments = get_args(annotation)
    if origin is not None and origin not in {tuple, list, frozenset, set, dict}:
        return [leaf for argument in arguments for leaf in _leaves(argument)]
    return [annotation]


def _kinds(error: type[ForgeError]) -> Iterator[type[ForgeError]]:
    yield error
    for kind in error.__subclasses__():
        yield from _kinds(kind)


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""
