"""Files that are replaced whole or not at all."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from forge_shared.errors import FolderBusyError


@contextmanager
def owned_folder(folder: Path) -> Iterator[Path]:
    """Make a program's state folder, mode 0700, and hold its lock: two programs would destroy each other's state.

    Raises:
        FolderBusyError: Another program holds it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FolderBusyError(f"a program is already running on {folder}") from None
        yield folder


def replace(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace a file atomically and durably: after a power cut it holds the old content or the new.

    Args:
        path: The file; its folder exists.
        content: What it shall hold.
        mode: Its permissions from the first byte on.

    Raises:
        OSError: It could not be written; the old content is still there.
    """
    with durable(path, mode=mode) as file:
        file.write(content)


@contextmanager
def durable(path: Path, *, mode: int) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of ``path`` at the end of the block, atomically and durably.

    Args:
        path: The file; its folder exists.
        mode: Its permissions from the first byte on.

    Raises:
        OSError: It could not be written; what was there before is still there, as it is when the block raises.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    # The new name must survive a power cut too, and that is the folder's content.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
