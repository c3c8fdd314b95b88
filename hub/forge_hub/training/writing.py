"""Trained numbers with their description, as the repository may hold them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from forge_hub.errors import TrainingError
from forge_language.encoder.numbers_file import Numbers, written
from forge_shared.files import replace

MOST_BYTES: Final = 1_000_000
"""Of a file of numbers: what goes into the repository."""


def write(name: str, numbers: Numbers, about: Mapping[str, Any], out: Path) -> Path:
    """Write ``NAME.npz`` and ``NAME.json`` and return the former.

    Args:
        name: Of both files.
        numbers: What was learnt.
        about: What else is to be said of them; the digest is put first.
        out: The folder; made where it is missing.

    Raises:
        TrainingError: The file would be larger than `MOST_BYTES`.
        OSError: It cannot be written.
    """
    content = written(numbers)
    if len(content) > MOST_BYTES:
        raise TrainingError(f"'{name}' has {len(content)} bytes, more than {MOST_BYTES}")
    described = {"name": name, "sha256": hashlib.sha256(content).hexdigest(), **about}
    out.mkdir(parents=True, exist_ok=True)
    replace(out / f"{name}.npz", content)
    replace(out / f"{name}.json", (json.dumps(described, indent=2) + "\n").encode())
    return out / f"{name}.npz"
