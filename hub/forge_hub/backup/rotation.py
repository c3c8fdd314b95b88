"""A folder of backups: what the next one is called, and which are old enough to go."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

_NAME = re.compile(r"forge-hub-\d{8}T\d{6}Z\.backup")


def name_of(at: datetime) -> str:
    """Return what a backup of this moment is called; names sort by time."""
    return f"forge-hub-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup"


def outdated(names: Sequence[str], keep: int) -> list[str]:
    """Return which backups go so that the newest ``keep`` stay.

    Args:
        names: Everything in the folder; what is not called as a backup is left alone.
        keep: At least 1.
    """
    return sorted(name for name in names if _NAME.fullmatch(name))[:-keep]
