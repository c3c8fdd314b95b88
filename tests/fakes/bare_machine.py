"""A machine that the bring-up scripts may set up: a folder for its root, and programs that change it as theirs do."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "jetson"

NVPMODEL_CONF = """\
< PARAM TYPE=FILE NAME=CPU_ONLINE >
< POWER_MODEL ID=0 NAME=15W >
CPU_ONLINE CORE_0 1
< POWER_MODEL ID=1 NAME=25W >
CPU_ONLINE CORE_0 1
< POWER_MODEL ID=2 NAME=MAXN_SUPER >
"""

_PROGRAM = """\
#!/bin/bash
# Stands for the machine's own programs: what it is told is written down, and what it is asked comes from its folder.
world={world}
name=$(basename "$0")
PATH=${{PATH#*:}}
if [ -e "$world/power-cut-at-$name" ]; then
    left=$(cat "$world/power-cut-at-$name")
    rm "$world/power-cut-at-$name"
    if [ "${{left:-0}}" -eq 0 ]; then
        kill -KILL $PPID
        exit 1
    fi
    echo $((left - 1)) >"$world/power-cut-at-$name"
fi
case $name in
    nvpmodel)
        if [ "$1" = -q ]; then
            printf 'NV Power Mode: one of them\\n%s\\n' "$(cat "$world/mode")"
            exit
        fi
        echo "$2" >"$world/mode"
        ;;
    dpkg-query) grep -qx "${{@: -1}}" "$world/packages" && printf 'install ok installed'; exit ;;
    apt-get) printf '%s\n' "$@" | grep -v -e '^-' -e '^install$' -e '^update$' >>"$world/packages" ;;
    getent) exit 0 ;;
    id)
        case $1 in
            -u) echo 0 ;;
            -nG) cat "$world/groups-$2" 2>/dev/null ;;
            *) [ -e "$world/groups-$1" ] ;;
        esac
        exit
        ;;
    usermod) echo "$3" >>"$world/groups-$4" ;;
    gpasswd)
        grep -qx "$3" "$world/groups-$2" || exit 3
        sed -i "/^$3\\$/d" "$world/groups-$2"
        ;;
    useradd) touch "$world/groups-${{@: -1}}" ;;
    blkid) [ -e "$world/state-partition" ] && echo /dev/mmcblk0p3; exit ;;
    systemctl)
        case $1 in
            is-enabled) echo disabled; exit ;;
            is-active) [ -e "$world/active" ]; exit ;;
            stop) rm -f "$world/active" ;;
            start) touch "$world/active" ;;
            disable)
                unit=$FORGE_DEVICE_ROOT/etc/systemd/system/${{@: -1}}
                case $unit in */forge-*) [ -e "$unit" ] || exit 1 ;; esac
                ;;
        esac
        ;;
    mountpoint) [ -L "${{@: -1}}" ]; exit ;;
    mount)
        [ ! -e "$world/bad-partition" ] || exit 32
        mv "${{@: -1}}" "${{@: -1}}.under"
        ln -s "$world/partition" "${{@: -1}}"
        ;;
    umount)
        rm "$1"
        mv "$1.under" "$1"
        ;;
    df)
        [ -e "$world/full" ] || exec df "$@"
        printf 'Filesystem 1024-blocks Used Available Capacity Mounted\n/ 9 9 %s 99%% /\n' "$(cat "$world/full")"
        exit
        ;;
    cp | mv) exec "$name" "$@" ;;
esac
echo "$name $*" >>"$world/calls"
"""


class BareMachine:
    """A machine in a folder.

    Args:
        folder: Where it is made.
        model: Its board's name; empty: a PC.
        jetson_release: Its nv_tegra_release; empty: no Jetson.
    """

    def __init__(self, folder: Path, *, model: str = "", jetson_release: str = "") -> None:
        self.root, self.world = folder / "root", folder / "world"
        programs = folder / "programs"
        for made in (self.root / "etc", self.root / "proc/device-tree", self.world / "partition", programs):
            made.mkdir(parents=True)
        (self.world / "packages").write_text("libportaudio2\n")
        (self.world / "groups-forge").write_text("forge\n")
        (self.world / "mode").write_text("0\n")
        (self.root / "etc/fstab").write_text("/dev/mmcblk0p2 / ext4 defaults 0 1\n/dev/mmcblk0p1 /boot vfat ro 0 2\n")
        (self.root / "proc/cpuinfo").write_text("" if model else "processor\t: 0\nvendor_id\t: GenuineIntel\n")
        if model:
            (self.root / "proc/device-tree/model").write_text(f"{model}\0")
        if jetson_release:
            (self.root / "etc/nv_tegra_release").write_text(jetson_release)
            (self.root / "etc/nvpmodel.conf").write_text(NVPMODEL_CONF)
        program = programs / "program"
        program.write_text(_PROGRAM.format(world=self.world))
        program.chmod(0o755)
        names = (
            "nvpmodel dpkg-query apt-get getent id usermod gpasswd useradd blkid systemctl udevadm runuser "
            "mount umount mountpoint df cp mv"
        )
        for name in names.split():
            (programs / name).symlink_to(program)
        self._environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "FORGE_DEVICE_ROOT": str(self.root),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, script: str, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run a bring-up script on this machine."""
        command = [str(SCRIPTS / script), *options]
        return subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=60, check=False, cwd=self.world
        )

    def cut_power_at(self, program: str, after: int = 0) -> None:
        """Let the script that calls a program die there, after as many calls of it that go well."""
        (self.world / f"power-cut-at-{program}").write_text(f"{after}")

    def start_anew(self) -> None:
        """Let the machine start: what its fstab mounts is mounted, and the node runs."""
        state = self.root / "var/lib/forge-edge"
        if "forge-state" in (self.root / "etc/fstab").read_text() and not state.is_symlink():
            state.rename(state.with_name("forge-edge.under"))
            state.symlink_to(self.world / "partition")
        (self.world / "active").touch()

    def state(self) -> dict[str, str]:
        """Return every file of the machine, and what its programs keep, by path; not what they were asked."""
        kept = {
            str(path): path.read_text(encoding="utf-8")
            for folder in (self.root, self.world)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "calls"
        }
        # Packages stay when the rest is taken back.
        kept.pop(str(self.world / "packages"))
        return kept

    def calls(self) -> list[str]:
        """Return what changed the machine since the last time this was asked."""
        path = self.world / "calls"
        done = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return done
