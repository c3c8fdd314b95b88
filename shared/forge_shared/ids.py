"""Identifiers: UUIDv7, made where the thing begins and never changed."""

from uuid6 import uuid7


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562 section 5.7) in its canonical 36-character form."""
    return str(uuid7())
