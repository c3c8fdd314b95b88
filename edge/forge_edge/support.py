"""`forge-edge support-bundle`: what helps those who help with a node, and nothing of whoever lives in the room."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import forge_edge
import forge_language
import forge_shared
from forge_edge.device import health, probe
from forge_edge.doctor import examine
from forge_edge.settings import NodeSettings
from forge_shared import support

UNIT = "forge-edge.service"
_FIGURES = frozenset({"clock", "hub", "heat, power", "memory", "storage", "hardware", "crisis language"})
"""Checks whose findings are figures and words of our own; others name devices, files and hosts of the house."""


def write_bundle(settings: NodeSettings, path: Path, log: Iterable[str] | None = None) -> None:
    """Write the bundle.

    Args:
        settings: How the node is run.
        path: The file.
        log: Lines of its log; None: the journal of its unit.

    Raises:
        OSError: It cannot be written.
    """
    lines = support.journal_of(UNIT) if log is None else log
    parts = {
        "versions": support.versions(),
        "settings": support.settings_of(settings),
        "doctor": [
            {"check": one.check, "ok": one.ok, **({"found": one.found} if one.check in _FIGURES else {})}
            for one in examine(settings)
        ],
        "machine": {
            "profile": settings.machine_kind,
            "jetson_linux": probe.machine().jetson_linux,
            **asdict(health.read()),
        },
        "log": support.events_of(lines, support.codes_of([forge_edge, forge_language, forge_shared])),
        "rows": support.rows_of(settings.folder / "outbox.db"),
        "disk": support.disk_of(settings.folder) if settings.folder.is_dir() else {},
        "made": {"at": datetime.now(UTC).isoformat(timespec="minutes"), "of": "node"},
    }
    support.write(path, parts)
