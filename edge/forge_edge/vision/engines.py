"""Keeps engines that were built on this device, and tells those that no longer fit from those that do.

An engine is bound to the model, the TensorRT version and the card that it was built for; used elsewhere it fails, or
worse, is wrong. Beside each lies a sidecar that says what it was built for and the digest of its bytes. The engine is
written first and the sidecar, which names it, last: what was interrupted is not found.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from forge_edge.errors import InferenceError
from forge_edge.vision.runtime import Network, Precision
from forge_shared import files
from forge_shared.errors import FolderBusyError

_FORMAT: Final = 1  # of the sidecar

Staleness = Literal[
    "absent",  # none was built, or what was built last was interrupted before its sidecar was written
    "sidecar-damaged",
    "model-changed",
    "shapes-changed",
    "precision-changed",
    "tensorrt-changed",
    "capability-changed",
    "device-changed",
    "l4t-changed",
    "file-missing",
    "file-truncated",
    "file-altered",
]


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What an engine is built for; one that differs in any field is not used.

    Attributes:
        network: Name of the network.
        model: SHA-256 of what TensorRT was given: the converted model.
        shapes: Of its inputs and outputs, such as ``input 1x224x224x3``.
        precision: Of the engine.
        tensorrt: Version.
        capability: Compute capability of the card.
        device: Name of the board or machine.
        l4t: Release of Jetson Linux; empty where there is none.
    """

    network: str
    model: str
    shapes: tuple[str, ...]
    precision: Precision
    tensorrt: str
    capability: str
    device: str
    l4t: str


# What each field that differs is called; in the order in which they are looked at.
_CHANGES: Final[tuple[tuple[str, Staleness], ...]] = (
    ("model", "model-changed"),
    ("shapes", "shapes-changed"),
    ("precision", "precision-changed"),
    ("tensorrt", "tensorrt-changed"),
    ("capability", "capability-changed"),
    ("device", "device-changed"),
    ("l4t", "l4t-changed"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the store has for a key.

    Attributes:
        engine: The bytes; None where there are none that fit.
        stale: Why the newest engine does not fit; None where it does.
        last_good: Whether the engine is the one before the newest.
    """

    engine: bytes | None
    stale: Staleness | None
    last_good: bool = False


@dataclass(frozen=True, slots=True)
class EngineStore:
    """The engines of one device, in a folder. The newest of each network is kept, and the one before it.

    Attributes:
        folder: Made when the first engine is stored.
    """

    folder: Path

    def find(self, key: EngineKey) -> Found:
        """Return the newest engine if it fits, else the one before it if that fits, and why the newest does not."""
        engine, stale = self._examine(key, self._sidecar(key.network))
        if engine is not None:
            return Found(engine, None)
        engine, _ = self._examine(key, self._last_sidecar(key.network))
        return Found(engine, stale, last_good=engine is not None)

    def build(self, key: EngineKey, make: Callable[[], bytes], accept: Callable[[bytes], None]) -> None:
        """Build an engine and store it, unless it fails: then everything stays as it was.

        Args:
            key: What it is built for.
            make: Builds it; takes minutes.
            accept: Tries it, and raises `InferenceError` when it does not do what it must.

        Raises:
            InferenceError: Another program is building, or the engine was not built, not accepted or not stored.
        """
        try:
            with files.owned_folder(self.folder):
                engine = make()
                accept(engine)
                self._store(key, engine)
        except FolderBusyError:
            raise InferenceError("another program is building engines") from None
        except OSError as error:
            raise InferenceError("the engine cannot be stored") from error

    def _store(self, key: EngineKey, engine: bytes) -> None:
        digest = hashlib.sha256(engine).hexdigest()
        name = f"{key.network}-{digest[:16]}.engine"
        files.replace(self.folder / name, engine)
        sidecar = {"format": _FORMAT, "key": asdict(key), "file": name, "size": len(engine), "sha256": digest}
        current = self._sidecar(key.network)
        # One that is damaged is not worth keeping as the last good one.
        if (kept := _read(current)) is not None and self._bytes(kept)[0] is not None and kept["file"] != name:
            files.replace(self._last_sidecar(key.network), current.read_bytes())
        files.replace(current, json.dumps(sidecar, indent=1).encode())
        self._prune(key.network)

    def _prune(self, network: str) -> None:
        """Remove engines that no sidecar names, and what was left half written."""
        sidecars = (self._sidecar(network), self._last_sidecar(network))
        named = {sidecar["file"] for path in sidecars if (sidecar := _read(path)) is not None}
        for path in self._files(network):
            if path.name not in named:
                with suppress(OSError):  # it is tried again after the next build
                    path.unlink()

    def _files(self, network: str) -> Iterator[Path]:
        yield from self.folder.glob(f"{network}-*.engine")
        yield from self.folder.glob(f".{network}-*.engine.*")

    def _examine(self, key: EngineKey, path: Path) -> tuple[bytes | None, Staleness | None]:
        sidecar = _read(path)
        if sidecar is None:
            return None, "sidecar-damaged" if path.exists() else "absent"
        wanted = json.loads(json.dumps(asdict(key)))
        for field, staleness in _CHANGES:
            if sidecar["key"].get(field) != wanted[field]:
                return None, staleness
        return self._bytes(sidecar)

    def _bytes(self, sidecar: dict[str, Any]) -> tuple[bytes | None, Staleness | None]:
        try:
            engine = (self.folder / sidecar["file"]).read_bytes()
        except OSError:
            return None, "file-missing"
        if len(engine) != sidecar["size"]:
            return None, "file-truncated"
        if hashlib.sha256(engine).hexdigest() != sidecar["sha256"]:
            return None, "file-altered"
        return engine, None

    def _sidecar(self, network: str) -> Path:
        return self.folder / f"{network}.json"

    def _last_sidecar(self, network: str) -> Path:
        return self.folder / f"{network}.last-good.json"


def shapes(network: Network) -> tuple[str, ...]:
    """Return a network's inputs and outputs as they stand in a key."""
    return tuple(f"{tensor.name} {'x'.join(map(str, tensor.shape))}" for tensor in (*network.inputs, *network.outputs))


def l4t_release(file: Path = Path("/etc/nv_tegra_release")) -> str:
    """Return the release of Jetson Linux, such as ``36.4.3``; empty where there is none.

    Source: NVIDIA writes ``# R36 (release), REVISION: 4.3, ...``.
    """
    try:
        found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", file.read_text())
    except (OSError, UnicodeDecodeError):
        return ""
    return f"{found[1]}.{found[2]}" if found else ""


def device_name(file: Path = Path("/proc/device-tree/model")) -> str:
    """Return the board's name, such as ``NVIDIA Jetson Orin Nano Developer Kit``; empty where it has none."""
    try:
        return file.read_text().rstrip("\0\n")
    except (OSError, UnicodeDecodeError):
        return ""


def _read(path: Path) -> dict[str, Any] | None:
    """Return a sidecar; None where it is missing or not one of this format."""
    try:
        sidecar = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    fields = {"format": int, "key": dict, "file": str, "size": int, "sha256": str}
    if not isinstance(sidecar, dict) or any(not isinstance(sidecar.get(name), kind) for name, kind in fields.items()):
        return None
    plain = Path(sidecar["file"]).name == sidecar["file"]  # it names a file of this folder and no other
    return sidecar if sidecar["format"] == _FORMAT and plain else None
