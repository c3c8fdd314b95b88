"""A fresh Debian becomes a node by the documented line, then a hub; both come back from restarts: `make install-test`.

As root, with debootstrap and systemd-nspawn; it takes some minutes and 3 GB below ``var/``. Prints one line of JSON.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.fakes import debian
from tests.fakes.debian import Debian
from tests.fakes.ports import free_port
from tests.journey.world import Site, until

from forge_edge.audio.voices import VOICES

ROOT = Path(__file__).parents[2]
NODE = "room-1"
UNIT = "forge-edge.service"
HUB = "forge-hub.service"
HUB_JOBS = ("forge-hub-backup.service", "forge-hub-audit.service")
PYTHON_OF = {"bookworm": "3.11", "trixie": "3.13"}


def main() -> int:
    """Run the test; return 0 when everything held, 1 when not, 2 where it cannot run here."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cache", type=Path, default=ROOT / "var/install-test", help="Debian and packages, kept")
    options = parser.parse_args()
    if lacking := debian.missing():
        print(f"cannot run here: {', '.join(lacking)} missing", file=sys.stderr)
        return 2
    options.cache.mkdir(parents=True, exist_ok=True)
    base, packages, wheels = (options.cache / name for name in ("debian", "packages", "wheels"))
    hub_packages = options.cache / "hub-packages"
    debian.make_base(base)
    build(wheels)
    fetch("edge.txt", packages, base)
    fetch("hub.txt", hub_packages, base)
    with (
        tempfile.TemporaryDirectory(prefix="forge-install-") as folder,
        Site(Path(folder), hub_environment={"FORGE_HUB_TLS": "own"}) as site,
        Debian(base, options.cache / "fresh") as fresh,
    ):
        of_a_node = [str(path) for path in sorted(wheels.glob("*.whl")) if "hub" not in path.name]
        site.hub_command("install-bundle", *of_a_node, "--packages", str(packages))
        try:
            report = as_node(site, fresh)
            report |= as_hub(fresh, wheels, hub_packages)
        except Exception:
            print(fresh.run("journalctl --no-pager -n 60 -u 'forge-*'", check=False).stdout, file=sys.stderr)
            raise
    print(json.dumps(report))
    return 0


class Report(dict[str, float | str]):
    """Figures of what was done."""

    def took(self, what: str, do: Callable[[], object]) -> None:
        """Do it, and note how many seconds it took."""
        started = time.monotonic()
        do()
        self[what] = round(time.monotonic() - started, 1)
        print(f"{what}: {self[what]}", file=sys.stderr)


def as_node(site: Site, fresh: Debian) -> Report:
    """Install, serve, be restarted in every way, and be taken away."""
    report = Report(debian=fresh.run("cat /etc/debian_version").stdout.strip())
    took = report.took
    took("install_seconds", lambda: fresh.run(line(site), seconds=1200))
    took("online_seconds", lambda: until("the node", lambda: state(site) == "online"))
    kind = "SELECT hardware FROM room WHERE hardware IS NOT NULL"
    assert until("the kind of its machine", lambda: site.records(kind)) == [("x86",)]
    assert fresh.run(f"systemctl is-enabled {UNIT}").stdout.strip() == "enabled"
    assert fresh.run("/opt/forge/jetson/bring-up --profile pi-5").stdout.startswith("power:")
    report["node_exposure"] = exposure(fresh, UNIT)

    # A room without a microphone raises an alert too: it is not what is waited for.
    asked = "SELECT 1 FROM alert WHERE kind = 'request'"
    # Somebody says something in the room, and it is at the hub.
    who = VOICES["american"]  # by espeak-ng, which a node has anyhow
    script = {
        "voice": who.voice.model_dump(),
        "wake_word": (called := who.wake_words[0]),
        "noise": {"snr_db": 25.0, "seed": 1},
        "wants": [{"kind": "request", "says": "can i have some water"}],
    }
    (fresh.folder / "var/lib/forge-edge/script.json").write_text(json.dumps(script))
    with (fresh.folder / "etc/forge-edge.env").open("a") as settings:
        settings.write("FORGE_EDGE_AUDIO=simulated\nFORGE_EDGE_ROOM_SPEED=0\n")
        settings.write("FORGE_EDGE_ROOM_SCRIPT=/var/lib/forge-edge/script.json\n")
        settings.write(f"FORGE_EDGE_WAKE_WORDS={json.dumps([called.replace(' ', '_')])}\n")
    fresh.run("chown forge:forge /var/lib/forge-edge/script.json")
    took("restart_seconds", lambda: restarted(site, fresh, f"systemctl restart {UNIT}"))
    took("request_seconds", lambda: until("the request", lambda: site.records(asked), seconds=120))
    took("kill_seconds", lambda: restarted(site, fresh, f"systemctl kill --signal=KILL {UNIT}"))
    took("power_cut_seconds", lambda: restarted(site, fresh, None))
    # The same line again, with a new claim: nothing is installed twice, and the node is the same.
    took("again_seconds", lambda: fresh.run(line(site), seconds=300))
    took("back_seconds", lambda: until("the node", lambda: state(site) == "online"))
    report["environments"] = fresh.run("ls -d /opt/forge-*").stdout.count("forge-")
    took("remove_seconds", lambda: fresh.run(f"{installer(fresh)} --remove --purge"))
    left = fresh.run(
        "ls -d /opt/forge* /var/lib/forge-edge /etc/forge-edge.env /etc/systemd/system/forge*", check=False
    )
    assert left.stdout == "", left.stdout
    return report


def as_hub(fresh: Debian, wheels: Path, packages: Path) -> Report:
    """Install a hub as README says, restart its units, and let its timers' units do their work."""
    report = Report()
    for name, source in (("wheels", wheels), ("packages", packages)):
        shutil.copytree(source, fresh.folder / "root" / name, dirs_exist_ok=True)
    shutil.copy(ROOT / "requirements/hub.txt", fresh.folder / "root/hub.txt")
    for unit in (ROOT / "systemd").glob("forge-hub*"):
        shutil.copy(unit, fresh.folder / "etc/systemd/system")
    ports = f"FORGE_HUB_PORT={free_port()}\nFORGE_HUB_BROKER_PORT={free_port()}\nFORGE_HUB_BROKER=amqtt\n"
    (fresh.folder / "etc/forge-hub.env").write_text(ports)
    pip = "/opt/forge/bin/pip install --quiet --disable-pip-version-check --no-deps --no-index"
    took = report.took
    install = f"{pip} --find-links packages --require-hashes -r hub.txt"
    own = f"{pip} wheels/persona_forge_shared* wheels/persona_forge_language* wheels/persona_forge_hub*"
    fresh.run("useradd --system --user-group --no-create-home forge; python3 -m venv /opt/forge")
    took("hub_install_seconds", lambda: fresh.run(f"{install} && {own}", seconds=1200))
    timers = "forge-hub-backup.timer forge-hub-audit.timer"
    took("hub_start_seconds", lambda: fresh.run(f"systemctl enable --now {HUB} {timers}", seconds=700))
    report["hub_exposure"] = max(exposure(fresh, unit) for unit in (HUB, *HUB_JOBS))
    for what in (f"systemctl restart {HUB}", f"systemctl kill --signal=KILL {HUB}", None):
        another_process(fresh, HUB, what)
    # Without a key there is no backup and no fault; with one, which only its unit can read, there is.
    fresh.run("systemctl start forge-hub-backup.service")
    assert not list((fresh.folder / "var/lib").glob("forge-hub-backups/*"))
    fresh.run("mkdir -p /etc/forge-hub && /opt/forge/bin/forge-hub backup-key /etc/forge-hub/backup.key")
    for job in HUB_JOBS:
        took(f"{job.removesuffix('.service')}_seconds", partial(fresh.run, f"systemctl start {job}", seconds=300))
    report["backups"] = len(list((fresh.folder / "var/lib/forge-hub-backups").iterdir()))
    assert report["backups"] == 1
    waiting = fresh.run("systemctl list-timers --no-legend").stdout
    assert all(timer in waiting for timer in timers.split()), waiting
    assert "forge" not in fresh.run("systemctl --failed --no-legend --plain", check=False).stdout
    return report


def restarted(site: Site, fresh: Debian, command: str | None) -> None:
    """Restart the node, or cut its machine's power, and wait until another process of it is online."""
    another_process(fresh, UNIT, command)
    began = site.records("SELECT max(seen_at) FROM room")[0][0]
    until("the node's word", lambda: site.records("SELECT max(seen_at) FROM room")[0][0] > began)
    assert state(site) == "online"


def another_process(fresh: Debian, unit: str, command: str | None) -> None:
    """End a unit's process by a command, or by cutting the machine's power, and wait until another one serves."""
    before = main_process(fresh, unit)
    if command is None:
        fresh.restart()
        before = "0"
    else:
        fresh.run(command, seconds=700)
    until("another process", lambda: main_process(fresh, unit) not in {before, "0"})
    until("the unit", lambda: fresh.run(f"systemctl is-active {unit}", check=False).stdout.strip() == "active")


def state(site: Site) -> str:
    """Return how the hub knows the node."""
    rows = site.records("SELECT connection FROM room WHERE node = ?", NODE)
    return str(rows[0][0]) if rows else ""


def main_process(fresh: Debian, unit: str = UNIT) -> str:
    """Return a unit's main process."""
    return fresh.run(f"systemctl show --property MainPID --value {unit}").stdout.strip()


def exposure(fresh: Debian, unit: str) -> float:
    """Return how exposed a unit is, 0 to 10, as systemd there reckons."""
    found = re.search(r"exposure level for \S+: ([0-9.]+)", fresh.run(f"systemd-analyze security {unit}").stdout)
    assert found is not None
    return float(found[1])


def line(site: Site) -> str:
    """Return the line that a claim shows for a fresh machine."""
    return next(text.strip() for text in site.hub_command("claim", NODE).splitlines() if "sha256sum" in text)


def installer(fresh: Debian) -> str:
    """Return the installed installer; it lies beside no bundle, and takes away as well."""
    return fresh.run("readlink -f /opt/forge/jetson/install").stdout.strip()


def build(wheels: Path) -> None:
    """Build the wheels, as README says."""
    shutil.rmtree(wheels, ignore_errors=True)
    sources = ["./shared/forge_shared", "./shared/forge_language", "./edge", "./hub"]
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", str(wheels), *sources], cwd=ROOT, check=True, timeout=300)


def fetch(lock: str, packages: Path, base: Path) -> None:
    """Have the packages of a lock for the Python of that Debian, by this machine's configuration of pip."""
    suite = re.search(r"VERSION_CODENAME=(\S+)", (base / "etc/os-release").read_text())
    python = PYTHON_OF[suite[1] if suite else ""]
    platforms = ["manylinux_2_36_x86_64", "manylinux_2_35_x86_64", "manylinux_2_34_x86_64", "manylinux_2_31_x86_64"]
    platforms += ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_26_x86_64", "manylinux_2_24_x86_64"]
    platforms += ["manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    pip += [f"--python-version={python}", *(f"--platform={one}" for one in platforms), f"--dest={packages}"]
    subprocess.run([*pip, "--requirement", str(ROOT / "requirements" / lock)], check=True, timeout=1800)


if __name__ == "__main__":
    sys.exit(main())
