"""Releases that arrive as one file, from a page or by the API: received, unpacked, checked and staged."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from forge_hub.errors import ReleaseError
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.unpacking import unpack
from forge_shared.releases import Manifest

SILENCE_SECONDS: Final = 60.0
"""An upload from which nothing has come for so long is given up. Ours: one upload goes at a time."""
RESERVE_BYTES: Final = 512 * 2**20
"""What an upload leaves free on the disk. Ours: days of alarms; a full disk stops the hub from storing them."""
COPIES: Final = 2
"""An upload is on the disk twice at once: as it came and unpacked, then unpacked and packed."""
_WRITE_BYTES: Final = 1 << 20


class Intake:
    """Takes one release at a time. Used on the event loop; what blocks runs in a thread.

    Args:
        catalogue: Where releases are staged; what is on its way is in its folder.
        most_bytes: Size of the largest upload, and of what it may hold unpacked.
    """

    def __init__(self, catalogue: Catalogue, most_bytes: int) -> None:
        self._folder = catalogue.uploads
        self._catalogue = catalogue
        self.most_bytes = most_bytes
        self._is_busy = False

    async def receive(self, chunks: AsyncIterator[bytes], size: int) -> Manifest:
        """Receive an archive, check the release in it and stage it for approval.

        Args:
            chunks: The archive.
            size: Its length in bytes, as the sender states it.

        Raises:
            ReleaseError: Another is on its way, it is too large, the disk has no room for it, it came to a halt or is
                not ``size`` long, or it is no release; the message says which.
            OSError: It could not be written.
        """
        if self._is_busy:
            raise ReleaseError("another release is being added: try again when it is done")
        if not 0 < size <= self.most_bytes:
            raise ReleaseError(f"a release of 1 to {self.most_bytes} bytes may be uploaded here")
        self._is_busy = True
        try:
            archive = await asyncio.to_thread(self._prepare, size)
            await self._store(chunks, size, archive)
            return await asyncio.to_thread(self._take, archive)
        finally:
            try:
                await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            finally:
                self._is_busy = False

    def _prepare(self, size: int) -> Path:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)
        if shutil.disk_usage(self._folder).free < COPIES * size + RESERVE_BYTES:
            raise ReleaseError("the hub's disk has no room for it")
        return self._folder / "upload"

    async def _store(self, chunks: AsyncIterator[bytes], size: int, archive: Path) -> None:
        received, waiting = 0, bytearray()
        iterator = aiter(chunks)
        with archive.open("wb") as file:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        chunk = await anext(iterator, None)
                except TimeoutError:
                    raise ReleaseError("the upload came to a halt") from None
                if chunk is None:
                    break
                received += len(chunk)
                if received > size:
                    break
                waiting += chunk
                if len(waiting) >= _WRITE_BYTES:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))
        if received != size:
            raise ReleaseError("the upload is not as long as it was said to be")

    def _take(self, archive: Path) -> Manifest:
        into = self._folder / "unpacked"
        into.mkdir(mode=0o700)
        folder = unpack(archive, into, self.most_bytes)
        archive.unlink()
        return self._catalogue.add(folder)
