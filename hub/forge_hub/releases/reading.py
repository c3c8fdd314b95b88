"""What a packed release says of itself, read out of its tar without unpacking it."""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from forge_hub.errors import ReleaseError
from forge_hub.releases.package import MOST_MANIFEST_BYTES
from forge_shared.releases import MANIFEST, Manifest

MOST_CARD_CHARACTERS: Final = 40_000
"""Of a card. Ours: a long one has ten thousand."""
MOST_GOLDEN_CHARACTERS: Final = 1_500
"""Of a golden input or output that is text. Ours: what a person can compare by eye; the room compares all of it."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A release as a person looks at it.

    Attributes:
        manifest: All that it says of itself.
        card: Its card, cut at `MOST_CARD_CHARACTERS`.
        golden_input: The beginning of its golden input; None: it is no text.
        golden_output: Likewise.
    """

    manifest: Manifest
    card: str
    golden_input: str | None
    golden_output: str | None


def inspect_packed(path: Path) -> Inspected:
    """Read a packed release.

    Raises:
        ReleaseError: It is missing or cannot be read.
    """
    try:
        with tarfile.open(path, "r:") as tar:
            manifest = Manifest.model_validate_json(_read(tar, MANIFEST, MOST_MANIFEST_BYTES))
            golden = manifest.golden
            return Inspected(
                manifest,
                _read(tar, manifest.card, MOST_CARD_CHARACTERS * 4).decode(errors="replace")[:MOST_CARD_CHARACTERS],
                _text(_read(tar, golden.input, MOST_GOLDEN_CHARACTERS + 1)),
                _text(_read(tar, golden.output, MOST_GOLDEN_CHARACTERS + 1)),
            )
    except (OSError, tarfile.TarError, KeyError, ValidationError):
        raise ReleaseError("the packed release cannot be read") from None


def _read(tar: tarfile.TarFile, name: str, most: int) -> bytes:
    content = tar.extractfile(name)
    if content is None:
        raise KeyError(name)
    return content.read(most)


def _text(content: bytes) -> str | None:
    # A character may be cut in two at the end.
    text = content[:MOST_GOLDEN_CHARACTERS].decode(errors="replace").rstrip("\ufffd")
    if not text or "\ufffd" in text or any(not (sign.isprintable() or sign in "\n\r\t") for sign in text):
        return None
    return text + ("…" if len(content) > MOST_GOLDEN_CHARACTERS else "")
