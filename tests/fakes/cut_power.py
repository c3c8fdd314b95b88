"""A disk whose power is cut at a step that a test chooses, and which then holds what it had been asked to keep.

While it watches, every `os.fsync` of a file copies its content, and that of a folder copies its list of names; nothing
else is durable. Steps are all that a program does to names (rename, replace, unlink, mkdir, rmdir), every fsync, and
what a test counts itself. At the chosen step, before it is carried out, the power is gone: the program gets `PowerCut`
there and at whatever it tries later. `after_cut` then writes the disk anew, with each unsynced change lost or, by
chance, kept, whole or torn. What synced folders still name is never taken for another file: inodes are held open.
"""

import os
import random
import shutil
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_STEPS = ("rename", "replace", "unlink", "remove", "mkdir", "rmdir", "symlink")


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a name stands for; ``link`` is where a symbolic link leads, whose inode is soon another's."""

    inode: int
    is_folder: bool
    link: str | None


Listing = Mapping[str, _Entry]
"""Names of a folder with what they stand for."""


class PowerCut(BaseException):
    """Nothing happens any more."""


@dataclass
class _Kept:
    files: dict[int, bytes] = field(default_factory=dict)
    folders: dict[int, Listing] = field(default_factory=dict)


class CutDisk:
    """Watches a folder of a real disk from this process.

    Args:
        folder: What is watched; it exists, and what it holds is durable.
        cut_at: The step at which the power is cut, from 1.
    """

    def __init__(self, folder: Path, cut_at: int) -> None:
        self._folder = folder
        self._cut_at = cut_at
        self._lock = threading.RLock()
        self._held: list[int] = []
        self.steps = 0
        self.is_cut = False
        self._durable = _Kept()
        self._now = _Kept()
        self._real: dict[str, Callable[..., Any]] = {}
        for place, names, files in os.walk(folder):
            self._keep_folder(Path(place), self._durable)
            for name in (*names, *files):
                self._keep(Path(place) / name, self._durable)

    @contextmanager
    def watching(self) -> Iterator["CutDisk"]:
        """Watch this process for the length of the block."""
        self._real = {name: getattr(os, name) for name in ("fsync", *_STEPS)}
        for name in _STEPS:
            setattr(os, name, self._stepped(name))
        setattr(os, "fsync", self._fsync)  # noqa: B010 (its own type is wider)
        try:
            yield self
        finally:
            for name, real in self._real.items():
                setattr(os, name, real)
            for descriptor in self._held:
                os.close(descriptor)
            self._held.clear()

    def step(self) -> None:
        """Count a step; the power may be gone at it.

        Raises:
            PowerCut: It is.
        """
        with self._lock:
            self.steps += 1
            if self.is_cut or self.steps == self._cut_at:
                if not self.is_cut:
                    self.is_cut = True
                    self._remember_now()
                raise PowerCut

    def after_kill(self, to: Path) -> None:
        """Write what a disk holds whose program was killed at the cut: all that was written."""
        self._write(to, lambda _: True, lambda inode: self._now.files[inode])

    def after_cut(self, to: Path, chance: random.Random | None = None) -> None:
        """Write what the disk holds after the cut: what was synced, and by ``chance`` something of what was not."""

        def content(inode: int) -> bytes:
            synced, now = self._durable.files.get(inode, b""), self._now.files.get(inode)
            if chance is None or now is None or now == synced or chance.random() < 0.5:
                return synced
            return chance.choice((now, now[: chance.randint(0, len(now))], bytes(len(now))))

        self._write(to, lambda _: chance is not None and chance.random() < 0.5, content)

    def _write(self, to: Path, is_now: Callable[[int], bool], content: Callable[[int], bytes]) -> None:
        shutil.rmtree(to, ignore_errors=True)

        def write(entry: _Entry, place: Path) -> None:
            if entry.link is not None:
                place.symlink_to(entry.link)
            elif entry.is_folder:
                place.mkdir(mode=0o700)
                # A name may be durable before what its folder holds is: then it is empty.
                synced = self._durable.folders.get(entry.inode, {})
                listing = self._now.folders.get(entry.inode, synced) if is_now(entry.inode) else synced
                for name, each in listing.items():
                    write(each, place / name)
            else:
                place.write_bytes(content(entry.inode))

        write(_Entry(self._folder.stat().st_ino, is_folder=True, link=None), to)

    def _stepped(self, name: str) -> Callable[..., Any]:
        real = self._real[name]

        def carry_out(*arguments: Any, **keywords: Any) -> Any:
            if self._is_ours(arguments, keywords):
                self.step()
            return real(*arguments, **keywords)

        return carry_out

    def _is_ours(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
        within = keywords.get("dir_fd")
        root = Path.cwd() if within is None else _path_of(within)
        return any((root / path).is_relative_to(self._folder) for path in arguments if isinstance(path, str | Path))

    def _fsync(self, descriptor: int) -> None:
        path = _path_of(descriptor)
        if path.is_relative_to(self._folder):
            self.step()
            with self._lock:
                if path.is_dir():
                    self._keep_folder(path, self._durable)
                else:
                    self._keep(path, self._durable)
        self._real["fsync"](descriptor)

    def _keep_folder(self, path: Path, kept: _Kept) -> None:
        listing = {entry.name: _entry(entry) for entry in os.scandir(path)}
        kept.folders[self._hold(path)] = listing
        if kept is self._durable:
            # A name that is durable stands for this file or folder, and for no later one with its number.
            for name, entry in listing.items():
                if entry.link is None:
                    self._hold(path / name)

    def _keep(self, path: Path, kept: _Kept) -> None:
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            kept.files[self._hold(path)] = path.read_bytes()

    def _hold(self, path: Path) -> int:
        descriptor = os.open(path, os.O_RDONLY)
        self._held.append(descriptor)
        return os.fstat(descriptor).st_ino

    def _remember_now(self) -> None:
        for place, _, files in os.walk(self._folder):
            self._keep_folder(Path(place), self._now)
            for name in files:
                self._keep(Path(place) / name, self._now)


def _path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def _entry(entry: os.DirEntry[str]) -> _Entry:
    link = str(Path(entry.path).readlink()) if entry.is_symlink() else None
    return _Entry(entry.inode(), entry.is_dir(follow_symlinks=False), link)
