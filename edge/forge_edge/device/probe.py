"""Which device profile fits a machine, told from what its kernel says of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from forge_edge.device.profiles import Profile, profiles

DEVICE_TREE = Path("/proc/device-tree/model")
JETSON_RELEASE = Path("/etc/nv_tegra_release")
CPU_INFO = Path("/proc/cpuinfo")

_CPU_MODEL = re.compile(r"^Model\s*: (.+)$", re.MULTILINE)
_CPU_VENDOR = re.compile(r"^vendor_id\s*: (\S+)$", re.MULTILINE)
_RELEASE = re.compile(r"^# R(\d+) \(release\), REVISION: (\d+)")
"""The first line of nv_tegra_release, as in ``# R36 (release), REVISION: 4.3, GCID: …``."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a kernel says of its machine.

    Attributes:
        device_tree: The board's name, /proc/device-tree/model; empty on a PC and in some containers.
        jetson_release: /etc/nv_tegra_release; empty on what is no Jetson.
        cpu_info: /proc/cpuinfo.
    """

    device_tree: str = ""
    jetson_release: str = ""
    cpu_info: str = ""

    @property
    def model(self) -> str:
        """The board's name, without the byte that ends it; empty where nobody says one."""
        named = _CPU_MODEL.search(self.cpu_info)
        return self.device_tree.strip("\0 \n") or (named[1].strip() if named else "")

    @property
    def jetson_linux(self) -> tuple[int, int] | None:
        """Release and revision of Jetson Linux, as (39, 2); None where there is none."""
        found = _RELEASE.match(self.jetson_release)
        return (int(found[1]), int(found[2])) if found else None


def fitting(machine: Machine, known: Sequence[Profile]) -> Profile | None:
    """Return the profile that fits, or None: the board's name decides, and only without one the processor's maker."""
    model = machine.model
    if model:
        return next((profile for profile in known if profile.is_model(model)), None)
    if machine.jetson_linux is not None:
        return None  # a Jetson whose board says no name
    vendor = _CPU_VENDOR.search(machine.cpu_info)
    return next((profile for profile in known if vendor and vendor[1] in profile.vendors), None)


@cache
def machine() -> Machine:
    """Return what this machine's kernel says, read once: a board is not exchanged under a running program."""
    return Machine(_text(DEVICE_TREE), _text(JETSON_RELEASE), _text(CPU_INFO))


def probed() -> Profile | None:
    """Return the profile that fits this machine, or None."""
    return fitting(machine(), profiles())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
