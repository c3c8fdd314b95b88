"""Fetches the files of one model from a repository of the Hugging Face Hub, or of a mirror that speaks its interface.

``HF_ENDPOINT`` names a mirror, ``HF_TOKEN`` opens what is private, ``HF_HUB_OFFLINE`` keeps everything off the network:
all three are the library's own. What is fetched is of one commit, is compared with the digests that the repository
names for it, and goes on when it is started again from at most the library's chunk (10 MB) before where it stopped.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR, getLogger
from pathlib import Path
from typing import Final

from forge_hub.errors import ReleaseError
from forge_shared.releases import MOST_BYTES

ENDPOINT: Final = "HF_ENDPOINT"
TIMEOUT_SECONDS: Final = 30.0
"""For an answer about the repository; files are fetched by the library's own limits."""
SPARE_BYTES: Final = 512 * 2**20
"""What must be left on the disk beside what is fetched: the hub itself must not run full. Ours."""
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        path: As the repository has it.
        size: Bytes; None: not said.
        sha256: Of what lies in large-file storage; None: it does not.
        blob: Git's own digest of what does not.
    """

    path: str
    size: int | None
    sha256: str | None
    blob: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at one commit.

    Attributes:
        name: ``owner/name``.
        commit: Forty hexadecimal digits.
        licence: As its model card names it; None: it does not.
        files: What is in it.
    """

    name: str
    commit: str
    licence: str | None
    files: Sequence[RemoteFile]

    @property
    def source(self) -> str:
        """What a manifest says of where it comes from. Which server it was is no matter: the digests are."""
        return f"hf:{self.name}@{self.commit}"


def look(name: str, revision: str | None) -> Repository:
    """Return what a repository holds.

    Args:
        name: ``owner/name``.
        revision: Branch, tag or commit; None: its newest.

    Raises:
        ReleaseError: There is none, or it cannot be asked; the message says what to do.
    """
    with _library_errors(name):
        from huggingface_hub import HfApi  # noqa: PLC0415 (half a second that other commands do not need)

        info = HfApi(endpoint=_endpoint()).model_info(
            name, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS
        )
    card = info.card_data
    licence = card.get("license") if card is not None else None
    files = [
        RemoteFile(
            each.rfilename,
            each.size,
            each.lfs.sha256 if each.lfs is not None else None,
            each.blob_id,
        )
        for each in info.siblings or ()
    ]
    if info.sha is None:
        raise ReleaseError(f"{name} names no commit: it cannot be said later what was imported")
    return Repository(info.id, info.sha, licence if isinstance(licence, str) else None, files)


def fetch(of: Repository, paths: Sequence[str], into: Path) -> None:
    """Fetch files into a folder, or go on with it; each is then what the repository says.

    Args:
        of: The repository at its commit.
        paths: Which files.
        into: The folder: keep it, and what was begun is not fetched again.

    Raises:
        ReleaseError: The disk is too small, the server does not answer, or a file is another than it should be.
    """
    wanted = [file for file in of.files if file.path in set(paths)]
    into.mkdir(parents=True, exist_ok=True)
    missing = sum(file.size or 0 for file in wanted if not (into / file.path).is_file())
    if any((file.size or 0) > MOST_BYTES for file in wanted):
        raise ReleaseError("a file is larger than any release may hold")
    if missing + SPARE_BYTES > shutil.disk_usage(into).free:
        raise ReleaseError(f"{missing / 1e6:.0f} MB are to be fetched, and the disk would be full: see --work")
    for file in wanted:
        with _library_errors(of.name):
            from huggingface_hub import hf_hub_download  # noqa: PLC0415 (see above)

            getLogger("huggingface_hub").setLevel(ERROR)  # what it says of a broken line is said by us
            hf_hub_download(of.name, file.path, revision=of.commit, local_dir=into, endpoint=_endpoint())
        if not _is_right(into / file.path, file):
            (into / file.path).unlink()
            raise ReleaseError(f"{file.path} is not what the repository says: it was removed; fetch it again")


def _is_right(path: Path, file: RemoteFile) -> bool:
    size = path.stat().st_size
    if file.size not in (None, size):
        return False
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    expected = file.sha256 or file.blob
    return expected is None or digest.hexdigest() == expected


def _endpoint() -> str | None:
    return os.environ.get(ENDPOINT) or None


@contextmanager
def _library_errors(name: str) -> Iterator[None]:
    """Turn what the library raises into what to do about it."""
    elsewhere = "fetch it on a machine with a network and import the folder: `forge-hub model import FOLDER`"
    try:
        yield
    except ImportError:
        raise ReleaseError("huggingface-hub is not installed beside this hub") from None
    except Exception as error:  # noqa: BLE001 (the library's errors and its HTTP client's have no base in common)
        kind = type(error).__name__
        match kind:
            case "GatedRepoError":
                said = f"{name} is given to those only who have agreed to its terms: do that, and set HF_TOKEN"
            case "RepositoryNotFoundError":
                said = f"there is no repository {name}, or it is private: set HF_TOKEN"
            case "RevisionNotFoundError" | "EntryNotFoundError" | "RemoteEntryNotFoundError":
                said = f"{name} has no such revision or file"
            case "HFValidationError":
                said = "a repository is named OWNER/NAME"
            case "OfflineModeIsEnabled":
                said = f"HF_HUB_OFFLINE is set: {elsewhere}"
            case _:
                said = (
                    f"{name} could not be fetched ({kind}); started again it goes on where it stopped. Behind a mirror "
                    f"set {ENDPOINT}; without a network, {elsewhere}"
                )
        raise ReleaseError(said) from None
