"""A site's releases and the people who sign them, and a room that fetches from the folder as from a server."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from securesystemslib.signer import CryptoSigner, Key
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from forge_hub.releases.catalogue import APPROVALS, Catalogue
from forge_hub.releases.repository import RoleKeys
from forge_shared.clock import Clock
from forge_shared.releases import MANIFEST

GOLDEN = {"input": "golden/input.json", "output": "golden/output.json", "tolerance": 0.01}


def write_release(folder: Path, *, name: str = "fall-pose", version: str = "1.0.0", counter: int = 1) -> Path:
    """Write a small release that is what its manifest says."""
    files = {
        "model.onnx": b"weights of " + version.encode(),
        "card.md": b"# What it is\n",
        "golden/input.json": b"[1.0]",
        "golden/output.json": b"[2.0]",
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    manifest = {
        "name": name,
        "version": version,
        "release_counter": counter,
        "role": "pose",
        "format": "onnx",
        "licence": "Apache-2.0",
        "card": "card.md",
        "files": [
            {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for path, content in files.items()
        ],
        "inputs": [{"name": "picture", "shape": [1, 224, 224, 3], "dtype": "float32", "unit": "share of full scale"}],
        "outputs": [{"name": "points", "shape": ["people", 33, 3], "dtype": "float32", "unit": "pixels"}],
        "hardware": ["x86", "orin-nano"],
        "golden": GOLDEN,
        "limits": {"seconds": 3600, "latency_ms": 80.0},
        "provenance": {
            "source": "python -m models.pose",
            "data_licences": ["Apache-2.0"],
            "made_at": "2026-01-01T00:00:00Z",
        },
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


@dataclass
class Site:
    """A catalogue whose first roots are signed, and its people: three for the root, two who approve."""

    folder: Path
    catalogue: Catalogue
    root: list[CryptoSigner]
    approvers: list[CryptoSigner]

    @classmethod
    def begun(cls, folder: Path, clock: Clock) -> "Site":
        """Return a site whose ceremony was held: two of three root people have signed."""
        site = cls(
            folder,
            Catalogue(folder, clock),
            [CryptoSigner.generate_ed25519() for _ in range(3)],
            [CryptoSigner.generate_ed25519() for _ in range(2)],
        )
        site.catalogue.begin([one.public_key for one in site.root], 2, [one.public_key for one in site.approvers])
        for signer in site.root[:2]:
            site.catalogue.sign_roots(signer)
        return site

    def keys(self, approvers: Sequence[Key], online: Key) -> RoleKeys:
        """Return the keys of this site's images with other approvers."""
        return RoleKeys([one.public_key for one in self.root], 2, approvers, APPROVALS, online)

    def publish(self, release: Path) -> str:
        """Add a release, let both people approve it, publish it, and return its target."""
        target = self.catalogue.add(release).target
        for signer in self.approvers:
            self.catalogue.approve(signer)
        self.catalogue.publish()
        return target


class FromFolder(FetcherInterface):
    """Fetches from a folder what a server would give out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self.folder / unquote(urlsplit(url).path).lstrip("/")
        if not path.is_file():
            raise DownloadHTTPError("there is no such file", 404)
        return iter([path.read_bytes()])


def room(site: Site, home: Path, repository: str = "images") -> Updater:
    """Return what a room reads a repository with, trusting the first root alone; ``home`` is its memory."""
    served = site.folder / repository
    memory = home / repository.replace("/", "-")
    memory.mkdir(parents=True, exist_ok=True)
    first = (served / "metadata" / "1.root.json").read_bytes()
    return Updater(
        str(memory),
        "http://hub/metadata/",
        str(home),
        "http://hub/targets/",
        FromFolder(served),
        bootstrap=first,
    )
