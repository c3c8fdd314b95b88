"""A node writes into its state folder and nowhere else: with everything beside it read-only, a room works."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.journey.demo import talker

SEAL = r"""
set -eu
mount --make-rprivate /
mount --bind "$STATE" "$STATE"
mount -t tmpfs tmpfs /var/tmp
while read -r _ _ _ _ where _; do
    case $where in
        "$STATE" | /var/tmp | /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) ;;
        *) mount -o remount,bind,ro "$where" ;;
    esac
done </proc/self/mountinfo
! touch "$STATE.beside" 2>/dev/null
exec "$@"
"""
"""What jetson/storage --read-only makes of a machine, for one program: /var/tmp alone is in memory."""


def unshared() -> list[str]:
    """Return what gives a program mounts of its own here; nothing: it cannot be had."""
    command = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_room_works_while_everything_but_its_state_is_read_only(tmp_path: Path) -> None:
    command = unshared()
    if not command:
        pytest.skip("a namespace of mounts cannot be had here")
    state, log = tmp_path / "state", tmp_path / "log"
    state.mkdir(mode=0o700)
    script = talker()
    script["wants"] = script["wants"][:1]
    (state / "patient.json").write_text(json.dumps(script))
    environment = {
        **os.environ,
        "STATE": str(state),
        "TMPDIR": "/var/tmp",  # noqa: S108 (in memory, and of this program alone)
        "PYTHONDONTWRITEBYTECODE": "1",
        "FORGE_EDGE_STATE_DIR": str(state),
        "FORGE_EDGE_AUDIO": "simulated",
        "FORGE_EDGE_HEARING": "light",
        "FORGE_EDGE_ROOM_SCRIPT": str(state / "patient.json"),
        "FORGE_EDGE_ROOM_SPEED": "0",
        "FORGE_EDGE_WAKE_WORDS": json.dumps([script["wake_word"].replace(" ", "_")]),
    }
    with log.open("wb") as told:
        node = subprocess.Popen(
            [*command, "sh", "-c", SEAL, "sh", sys.executable, "-m", "forge_edge", "run"],
            env=environment,
            stdout=told,
            stderr=told,
        )
        try:
            deadline = time.monotonic() + 120
            while not asked_for_water(state) and node.poll() is None and time.monotonic() < deadline:
                time.sleep(0.5)
            assert asked_for_water(state), log.read_text()[-2000:]
        finally:
            node.send_signal(signal.SIGTERM)
            node.wait(timeout=30)
    assert node.returncode == 0
    said = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert [line["event"] for line in said if "OSError" in str(line.get("error"))] == []
    assert not Path(f"{state}.beside").exists()


def asked_for_water(state: Path) -> bool:
    """Tell whether an alarm was committed: what it is about is sealed."""
    try:
        with closing(sqlite3.connect(f"file:{state / 'outbox.db'}?mode=ro", uri=True, timeout=5)) as outbox:
            (count,) = outbox.execute("SELECT count(*) FROM event WHERE lane = 'alarm'").fetchone()
            return bool(count)
    except sqlite3.Error:
        return False
