"""Small files that the core reads or keeps: whose room it is, and which names are never passed on."""

import contextlib
from pathlib import Path

from forge_edge.errors import NodeConfigError
from forge_shared.files import replace
from forge_shared.ids import new_id
from forge_shared.logs import get_logger

CONVERSATION = "conversation.json"
SUBJECT = "subject"

log = get_logger()


def pseudonym(folder: Path) -> str:
    """Return the pseudonym of the stay, making one at the first start. It is random and derived from nothing."""
    path = folder / SUBJECT
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    made = f"p-{new_id()[-12:]}"
    try:
        replace(path, made.encode(), mode=0o600)
    except OSError:
        log.exception("pseudonym.not-saved")  # it holds until the next start, which makes another
    return made


def forget(folder: Path) -> None:
    """Remove what is kept of the person of a stay that ended."""
    for name in (CONVERSATION, SUBJECT):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError:  # what the hub wants cannot be saved either, so it is told and done again at the next start
            log.exception("stay.not-forgotten")


def known_names(path: Path | None) -> frozenset[str]:
    """Return the names that are always redacted.

    Raises:
        NodeConfigError: The list cannot be read.
    """
    if path is None:
        return frozenset()
    try:
        return frozenset(line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError):
        raise NodeConfigError(f"cannot read the list of names {path.name}: it must be UTF-8, one name a line") from None
