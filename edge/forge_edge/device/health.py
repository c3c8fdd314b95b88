"""How the machine itself is: heat, power, memory, and how worn its storage is, as its kernel tells without rights."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from forge_shared.logs import get_logger
from forge_shared.wire import RoomTrouble

HOT_CELSIUS = 80.0
"""From here to 85 a Raspberry Pi slows its cores down (its documentation, "Frequency management and thermal control").
Ours for a Jetson Orin, which does so about 20 degrees further up: somebody can still look at its fan."""
LOW_MEMORY_SHARE = 0.05
"""Ours: below a twentieth the kernel throws out programs' own pages, and the room is slow before anything is killed."""
COLDEST_MILLIDEGREES = -100_000
"""Ours: what claims to be colder is a sensor that is switched off, which a Jetson gives as -256 degrees."""
WORN_TENTHS = 9
"""JEDEC JESD84-B51 (eMMC 5.1), DEVICE_LIFE_TIME_EST: 9 is 80 to 90 % of the estimated life, 11 is past its end."""
WARNING_PRE_EOL = 2
"""The same, PRE_EOL_INFO: 1 normal, 2 80 % of the spare blocks are used, 3 urgent."""

UNDER_VOLTAGE, CAPPED, THROTTLED, SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
"""Bits of what a Raspberry Pi's firmware says of now; 16 bits further up: since it was started."""

_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)
_TOTAL = re.compile(r"^MemTotal:\s+(\d+) kB$", re.MULTILINE)
_HEXADECIMAL = re.compile(r"0x([0-9a-fA-F]+)")

log = get_logger()


@dataclass(frozen=True, slots=True)
class Health:
    """What a machine says of itself; None: it does not say.

    Attributes:
        temperature_celsius: The highest of its sensors.
        is_throttled: Whether it is slowed down now, for heat.
        is_under_voltage: Whether its power supply is too weak now.
        was_under_voltage: Whether it was since the machine was started.
        memory_available_share: Of the memory, 0 to 1.
        storage_tenths: Tenths of its storage's life that are used up, 1 to 11.
        storage_spare: State of the storage's spare blocks, 1 to 3.
    """

    temperature_celsius: float | None = None
    is_throttled: bool | None = None
    is_under_voltage: bool | None = None
    was_under_voltage: bool | None = None
    memory_available_share: float | None = None
    storage_tenths: int | None = None
    storage_spare: int | None = None

    @property
    def troubles(self) -> tuple[RoomTrouble, ...]:
        """What is wrong, as the twin reports it."""
        found: list[tuple[bool | None, RoomTrouble]] = [
            (self.temperature_celsius is not None and self.temperature_celsius >= HOT_CELSIUS, "machine.hot"),
            (self.is_throttled, "machine.throttled"),
            (self.is_under_voltage, "power.low"),
            (
                self.memory_available_share is not None and self.memory_available_share < LOW_MEMORY_SHARE,
                "memory.low",
            ),
            (
                (self.storage_tenths or 0) >= WORN_TENTHS or (self.storage_spare or 0) >= WARNING_PRE_EOL,
                "storage.worn",
            ),
        ]
        return tuple(code for is_so, code in found if is_so)


def read(root: Path = Path("/")) -> Health:
    """Return how the machine is, within milliseconds. What it does not tell is None.

    Args:
        root: Where /proc and /sys are, for tests.
    """
    memory = _text(root / "proc/meminfo")
    available, total = _AVAILABLE.search(memory), _TOTAL.search(memory)
    # A Pi 4's is soc/soc:firmware; a Pi 5's carries its address: soc@107c000000/soc@107c000000:firmware.
    said = sorted((root / "sys/devices/platform").glob("soc*/soc*:firmware/get_throttled"))
    firmware = _number(said[0], 16) if said else None
    block = sorted((root / "sys/block").glob("mmcblk[0-9]"))
    return Health(
        temperature_celsius=_hottest((root / "sys/class/thermal").glob("thermal_zone*/temp")),
        is_throttled=None if firmware is None else bool(firmware & (CAPPED | THROTTLED | SOFT_LIMIT)),
        is_under_voltage=None if firmware is None else bool(firmware & UNDER_VOLTAGE),
        was_under_voltage=None if firmware is None else bool(firmware >> 16 & UNDER_VOLTAGE),
        memory_available_share=int(available[1]) / int(total[1]) if available and total else None,
        storage_tenths=_most(_numbers(folder / "device/life_time") for folder in block),
        storage_spare=_most(_numbers(folder / "device/pre_eol_info") for folder in block),
    )


class MachineWatch:
    """Looks at the machine from time to time; says in the log what begins to be wrong, and when it is over."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._known: frozenset[RoomTrouble] = frozenset()

    def look(self) -> tuple[RoomTrouble, ...]:
        """Return what is wrong with the machine now."""
        health = read(self._root)
        now = frozenset(health.troubles)
        for code in sorted(now - self._known):
            log.warning("machine.trouble", trouble=code, temperature_celsius=health.temperature_celsius)
        for code in sorted(self._known - now):
            log.info("machine.well-again", trouble=code)
        self._known = now
        return health.troubles


def _hottest(sensors: Iterable[Path]) -> float | None:
    found = [number for path in sensors if (number := _number(path)) is not None and number > COLDEST_MILLIDEGREES]
    return max(found) / 1000 if found else None


def _most(numbers: Iterable[list[int]]) -> int | None:
    # 0 is "not defined" in both registers.
    return max((number for one in numbers for number in one if number > 0), default=None)


def _number(path: Path, base: int = 10) -> int | None:
    try:
        return int(_text(path).strip(), base)
    except ValueError:
        return None


def _numbers(path: Path) -> list[int]:
    return [int(number, 16) for number in _HEXADECIMAL.findall(_text(path))]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
