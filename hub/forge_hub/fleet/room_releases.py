"""What rooms say of their model releases, kept as they say it."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.records.schema import ReleaseFigure, RoomRelease
from forge_shared import wire

_MEASURED: Final = frozenset({"serving", "on-trial"})
_FIGURES: Final = ("latency_ms", "memory_mb", "temperature_celsius")


def note_releases(transaction: Transaction, node: str, twin: wire.TwinReported, now: datetime) -> bool:
    """Keep what a room says of its releases; tell whether something is other than before.

    Names that no store takes are no release's, and are left out.

    Args:
        transaction: Where it is kept.
        node: Name of the node.
        twin: What it said.
        now: The time; a room's own is not later.
    """
    changed = False
    with transaction.no_autoflush:
        for release in twin.releases:
            if all(text is None or text.isprintable() for text in (release.serving, release.next, release.reason)):
                changed |= _note(transaction, node, release, min(twin.at, now))
        told = {release.role for release in twin.releases}
        for row in transaction.scalars(select(RoomRelease).where(RoomRelease.node == node)):
            bare = wire.RoomRelease.model_validate({"role": row.role}).model_dump(mode="json", exclude_none=True)
            if row.role not in told and row.said != bare:
                # A room says nothing of a role in which its own model serves and nothing goes on.
                row.said, row.said_at, changed = bare, min(twin.at, now), True
    return changed


def _note(transaction: Transaction, node: str, release: wire.RoomRelease, at: datetime) -> bool:
    said = release.model_dump(mode="json", exclude_none=True)
    row = transaction.get(RoomRelease, (node, release.role))
    if row is None:
        transaction.add(RoomRelease(node=node, role=release.role, said=said, said_at=at))
    elif row.said == said:
        return False
    else:
        row.said, row.said_at = said, at
    if release.state in _MEASURED and any(name in said for name in _FIGURES):
        _measure(transaction, node, release, at)
    return True


def _measure(transaction: Transaction, node: str, release: wire.RoomRelease, at: datetime) -> None:
    key = (node, release.role, release.serving or "")
    figure = transaction.get(ReleaseFigure, key)
    if figure is None:
        figure = ReleaseFigure(node=node, role=release.role, release=release.serving or "")
        transaction.add(figure)
    for name in _FIGURES:
        value = getattr(release, name)
        # A room that has started anew has not yet measured all again of what it serves; a trial begins with nothing.
        if value is not None or release.state == "on-trial":
            setattr(figure, name, value)
    figure.at = at
