"""A fresh Debian in a folder, with systemd as its first process, on this machine's kernel and network (as root)."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 120.0
BASE_PACKAGES = "systemd,systemd-sysv,dbus,curl,ca-certificates"
"""What every installed Debian has beside the smallest one, and curl, which the documented line needs."""


class DebianError(Exception):
    """The Debian cannot be made or started here, or a command in it failed."""


def missing() -> list[str]:
    """Name what is missing here to make and start one; empty: nothing."""
    found = [name for name in ("debootstrap", "systemd-nspawn", "nsenter") if shutil.which(name) is None]
    return found if os.geteuid() == 0 else [*found, "the rights of root"]


def make_base(folder: Path) -> None:
    """Make the Debian that the others are copies of, of this machine's own release and from its own mirror."""
    if (folder / "etc/debian_version").exists():
        return
    suite = _printed(["sh", "-c", '. /etc/os-release && echo "$VERSION_CODENAME"'])
    mirrors = _printed(["apt-get", "indextargets", "--format", "$(REPO_URI)", f"Codename: {suite}"]).splitlines()
    command = ["debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", suite, str(folder), mirrors[0]]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
    if ended.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise DebianError(f"debootstrap: {ended.stdout[-500:]}{ended.stderr[-500:]}")


class Debian:
    """A running Debian. Leaving the context ends it and removes its folder."""

    def __init__(self, base: Path, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["cp", "-a", str(base), str(folder)], check=True, timeout=300)
        # Two copies of one folder would be the same machine to each other.
        (folder / "etc/machine-id").write_text("")
        (folder / "etc/hostname").write_text("fresh\n")
        self._log = folder.with_suffix(".log")
        self._started: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until its services have."""
        command = [
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--register=no",
            "--keep-unit",
            "--directory",
            str(self.folder),
        ]
        with self._log.open("ab") as log:
            self._started = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        state = ""
        while time.monotonic() < deadline:
            if self._started.poll() is not None:
                raise DebianError(f"it ended: {self._log.read_text(errors='replace')[-1000:]}")
            state = self.run("systemctl is-system-running", check=False).stdout.strip() if self._leader() else ""
            if state in {"running", "degraded"}:
                return
            time.sleep(0.5)
        raise DebianError(f"its services did not start: {state}")

    def stop(self) -> None:
        """End it as a power cut would."""
        if self._started is not None:
            leader = self._leader()
            if leader is not None:
                os.kill(leader, signal.SIGKILL)
            self._started.wait(timeout=60)
            self._started = None

    def restart(self) -> None:
        """Cut its power and start it again."""
        self.stop()
        self.start()

    def run(self, command: str, *, seconds: float = 60, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a shell's command in it, as root."""
        leader = self._leader()
        if leader is None:
            raise DebianError("it does not run")
        clean = "env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8"
        inside = [
            "nsenter",
            f"--target={leader}",
            "--all",
            "sh",
            "-c",
            f"cd /root; {clean} bash -c {shlex.quote(command)}",
        ]
        ended = subprocess.run(inside, capture_output=True, text=True, check=False, timeout=seconds)
        if check and ended.returncode != 0:
            raise DebianError(f"{command}: {ended.returncode}\n{ended.stdout[-3000:]}{ended.stderr[-3000:]}")
        return ended

    def _leader(self) -> int | None:
        """Return the id of its first process, as this machine counts."""
        assert self._started is not None
        children = Path(f"/proc/{self._started.pid}/task/{self._started.pid}/children")
        try:
            named = children.read_text().split()
        except OSError:
            return None
        for one in named:
            try:
                if Path(f"/proc/{one}/comm").read_text().strip() == "systemd":
                    return int(one)
            except OSError:
                continue
        return None


def _printed(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
