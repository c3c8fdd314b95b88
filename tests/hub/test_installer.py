"""The installer, run for real on a copy of this machine that is thrown away; a whole Debian: `make install-test`."""

import asyncio
import json
import os
import shutil
import site
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.fakes import keys
from tests.fakes.pages import open_pages, serve

from forge_hub.fleet import bundle

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 200

THROW_AWAY = r"""
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$WORLD"
mkdir -p "$WORLD/upper" "$WORLD/work" "$WORLD/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$WORLD/upper",workdir="$WORLD/work" "$WORLD/root"
for kept in /proc /dev "$SHARED"; do mount --rbind "$kept" "$WORLD/root$kept"; done
exec chroot "$WORLD/root" env -u FORGE_EDGE_STATE_DIR bash -euc "$1"
"""
"""A chroot over everything that this machine has, whose changes are in memory and gone with the process."""

PACKAGES = ("python3-venv", "libportaudio2", "espeak-ng")
"""What the installer would fetch: here it shall find them."""


def unavailable() -> str:
    """Say why the installer cannot be run here; empty: it can. `make install-test` makes a Debian for it."""
    if os.geteuid() != 0:
        return "installing takes the rights of root"
    needed = ("unshare", "chroot", "useradd", "runuser", "dpkg-query")
    if lacking := [name for name in needed if shutil.which(name) is None]:
        return f"installing takes a Debian or Ubuntu with {lacking[0]}"
    if subprocess.run(["dpkg-query", "--show", *PACKAGES], capture_output=True, check=False).returncode != 0:
        return f"installing without fetching takes {', '.join(PACKAGES)}"
    taken = [name for name in ("3.13", "3.12", "3.11") if Path(f"/usr/bin/python{name}").exists()][:1]
    if taken != [f"{sys.version_info.major}.{sys.version_info.minor}"]:
        return "the installer would take another Python than this test, whose packages it borrows"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        return "a namespace of mounts cannot be had here"
    return ""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "it can be run"),
]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    sources = ["./shared/forge_shared", "./shared/forge_language", "./edge"]
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", folder, *sources], cwd=ROOT, check=True, timeout=LIMIT_SECONDS)
    return sorted(folder.glob("*.whl"))


def in_a_copy(commands: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a shell's commands, one after the other, where nothing of this machine can be changed."""
    world = folder / "world"
    world.mkdir(exist_ok=True)
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/root",
        "WORLD": str(world),
        "SHARED": str(folder / "shared"),
    }
    (folder / "shared").mkdir(exist_ok=True)
    command = ["unshare", "--mount", "sh", "-c", THROW_AWAY, "sh", "\n".join(commands)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)


async def test_a_machine_becomes_a_node_and_what_is_done_is_not_done_again(wheels: list[Path], tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    with open_pages(tmp_path, https=True) as pages:
        bundle.make(wheels, None, tmp_path / "install")
        async with serve(pages, keys.authority(tmp_path)) as address:
            words = pages.parts.fleet.enrolment.claim("room-1", "ann").words
            installer = f"/tmp/{bundle.NAME}/jetson/install"  # noqa: S108 (in the copy)
            # What else the lock holds is taken from this test's own environment: fetching it would take minutes. The
            # node's user may come to it wherever that environment lies, below a folder of root's alone, too.
            borrowed = [
                "mkdir /borrowed",
                f"mount --bind {site.getsitepackages()[0]} /borrowed",
                "echo /borrowed >$(echo /opt/forge/lib/python3*/site-packages)/borrowed.pth",
            ]
            commands = [
                f"tar -xf {tmp_path}/install/node.tar -C /tmp",
                f": >/tmp/{bundle.NAME}/edge.txt",
                f"{installer} --dry-run {address} {words} >{shared}/plan",
                "test ! -e /opt/forge",
                f"{installer} --no-start >{shared}/first",
                *borrowed,
                f"! {installer} --no-start https://127.0.0.1:1 {words} 2>{shared}/refused",
                "test ! -e /var/lib/forge-edge/credentials.json",
                f"{installer} --no-start {address} {words} >{shared}/second",
                # The same line again: its claim is used up, and everything is there.
                "echo FORGE_EDGE_HARDWARE=pi-4 >>/etc/forge-edge.env",
                f"{installer} --no-start {address} {words} >{shared}/again",
                "sed -i /HARDWARE/d /etc/forge-edge.env",
                f"cp -a /var/lib/forge-edge/credentials.json /etc/forge-edge.env {shared}/",
                "cd /var/lib/forge-edge",
                f"stat -c '%U %a' . credentials.json /etc/forge-edge.env >{shared}/modes",
                "cd /",
                f"/opt/forge/jetson/bring-up --profile pi-4 power storage >{shared}/bring-up",
                f"id -nG forge >{shared}/groups",
                # What was set up for the node is taken back first: the programs that do it go with it.
                f"/opt/forge/jetson/power --profile pi-4 --apply >{shared}/power",
                f"! {installer} --remove --purge 2>{shared}/kept",
                "test -e /opt/forge/bin/forge-edge",
                "/opt/forge/jetson/bring-up --profile pi-4 --undo power",
                # An environment whose Python does not run is not whole, whatever it was.
                "rm /opt/forge/bin/python*",
                f"{installer} --no-start >{shared}/renewed",
                "/opt/forge/bin/python -c 'import forge_edge'",
                # A folder that is mounted cannot be removed, and is emptied.
                "mount --bind /var/lib/forge-edge /var/lib/forge-edge",
                "mkdir /opt/forge-by-hand",
                "touch /opt/forge-by-hand/pyvenv.cfg",
                f"{installer} --remove --purge",
                'test -z "$(ls -A /var/lib/forge-edge)"',
                "umount /var/lib/forge-edge",
                "rmdir /var/lib/forge-edge",
                "! id forge 2>/dev/null",
                "rm -r /opt/forge-by-hand",
                "! ls -d /opt/forge* /var/lib/forge-edge /etc/forge-edge.env /etc/systemd/system/forge-edge.service",
            ]
            ended = await asyncio.to_thread(in_a_copy, commands, tmp_path)
    assert ended.returncode == 0, f"{ended.stdout[-1500:]}{ended.stderr[-1500:]}"
    assert "would do" in (shared / "plan").read_text()
    assert "does:" not in (shared / "plan").read_text()
    assert "belongs to no site yet" in (shared / "first").read_text()
    assert "run the same line with a new claim" in (shared / "refused").read_text()
    assert "already enrolled; the claim was not taken" in (shared / "again").read_text()
    assert "pi-4" in (shared / "again").read_text().partition("doctor")[2]
    assert "bring-up --undo power" in (shared / "kept").read_text()
    assert "pip install" in (shared / "renewed").read_text()
    second = (shared / "second").read_text()
    assert "This is 'room-1' of site 'ward' now" in second
    assert not [line for line in second.splitlines() if "does:" in line and ("pip" in line or "useradd" in line)]
    assert json.loads((shared / "credentials.json").read_text())["node"] == "room-1"
    assert (shared / "modes").read_text().split() == ["forge", "700", "forge", "600", "root", "600"]
    assert (shared / "forge-edge.env").read_text() == "FORGE_EDGE_CREDENTIALS=/var/lib/forge-edge/credentials.json\n"
    assert "would copy: journald-node.conf" in (shared / "bring-up").read_text()
    assert "audio" in (shared / "groups").read_text().split()


def test_a_unit_that_cannot_start_is_not_started(wheels: list[Path], tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    bundle.make(wheels, None, tmp_path / "install")
    installer = f"/tmp/{bundle.NAME}/jetson/install"  # noqa: S108 (in the copy)
    # A copy of this machine has no service manager: its programs write down what they are told.
    told = f"printf '#!/bin/sh\necho $0 $* >>{shared}/told\n'"
    commands = [
        f"tar -xf {tmp_path}/install/node.tar -C /tmp",
        f": >/tmp/{bundle.NAME}/edge.txt",
        "mkdir -p /run/systemd/system",
        *(f"rm -f {name}; {told} >{name}; chmod 755 {name}" for name in ("/usr/bin/systemctl", "/usr/bin/systemd-run")),
        f"{installer} >{shared}/alone",
        f"mv {shared}/told {shared}/told-alone",
        "touch /var/lib/forge-edge/credentials.json",
        f"{installer}",
    ]
    ended = in_a_copy(commands, tmp_path)
    assert ended.returncode == 0, f"{ended.stdout[-1500:]}{ended.stderr[-1500:]}"
    assert "not started, for it belongs to no site yet" in (shared / "alone").read_text()
    assert "restart" not in (shared / "told-alone").read_text()
    assert "systemctl restart forge-edge.service" in (shared / "told").read_text()
    # The doctor sees the settings that the unit has.
    assert "EnvironmentFile=-/etc/forge-edge.env" in (shared / "told").read_text()


def test_a_machine_that_is_a_hub_is_not_made_a_node_and_loses_nothing(wheels: list[Path], tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    bundle.make(wheels, None, tmp_path / "install")
    installer = f"/tmp/{bundle.NAME}/jetson/install"  # noqa: S108 (in the copy)
    commands = [
        f"tar -xf {tmp_path}/install/node.tar -C /tmp",
        "mkdir -p /opt/forge/bin /var/lib/forge-hub",
        "touch /opt/forge/bin/forge-hub /opt/forge/pyvenv.cfg",
        f"! {installer} --no-start 2>{shared}/refused",
        "test -e /opt/forge/bin/forge-hub",
        "mv /opt/forge /opt/elsewhere",
        "touch /etc/systemd/system/forge-hub.service",
        f"! {installer} --no-start 2>>{shared}/refused",
        "test ! -e /opt/forge",
        "id forge >/dev/null 2>&1 || useradd --system --user-group forge",
        f"{installer} --remove --purge",
        "id forge",
    ]
    ended = in_a_copy(commands, tmp_path)
    assert ended.returncode == 0, f"{ended.stdout[-1500:]}{ended.stderr[-1500:]}"
    assert (shared / "refused").read_text().count("this machine is a hub") == 2
