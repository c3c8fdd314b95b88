"""A small disk of its own, that a test can fill, and that can lose everything not yet synced, as when power fails."""

import contextlib
import fcntl
import os
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN, ``_IOR('X', 125, __u32)`` (Linux, fs/ext4/ext4.h): from now on nothing reaches the device."""
WITHOUT_FLUSHING = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: not even the journal is written. What no fsync had pushed out is gone."""
OPTIONS = "commit=300,noatime"
"""The file system writes by itself only every five minutes, so that a cut finds as much unsynced as there can be."""
UNMOUNT_SECONDS = 20.0


class SmallDisk:
    """An ext4 file system in a file, mounted at a place."""

    def __init__(self, place: Path, image: Path, megabytes: int) -> None:
        self.place = place
        self._image = image
        with image.open("wb") as file:
            file.truncate(megabytes * 1_000_000)
        _do("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        self.mount()
        (place / "lost+found").rmdir()
        place.chmod(0o700)

    def mount(self) -> None:
        """Make the content available; what was cut off is mended from the journal first."""
        _do("mount", "-o", f"loop,{OPTIONS}", str(self._image), str(self.place))

    def unmount(self) -> None:
        """Take it away. Whoever had files open must have ended."""
        deadline = time.monotonic() + UNMOUNT_SECONDS
        while True:
            try:
                _do("umount", str(self.place))
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def cut_power(self) -> None:
        """Lose whatever was not synced, at this instant. Mount it anew afterwards."""
        folder = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))
        finally:
            os.close(folder)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave not one free block for the length of a block of code."""
        filler = self.place / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as output:
            while True:
                output.write(b"\0" * 65536)
        try:
            yield
        finally:
            filler.unlink()


@contextmanager
def small_disk(place: Path, image: Path, megabytes: int) -> Iterator[SmallDisk | None]:
    """Yield a disk that is mounted at a new folder, or None where none may be mounted; the folder is there anyhow."""
    place.mkdir(mode=0o700)
    disk = None
    if os.geteuid() == 0:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            disk = SmallDisk(place, image, megabytes)
    try:
        yield disk
    finally:
        if disk is not None:
            disk.unmount()
            image.unlink()


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
