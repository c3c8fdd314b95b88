"""Device profiles: what is set up on a machine of a kind, and which defaults of the node's settings follow from it.

They are the files ``jetson/profiles/NAME.conf``, which the bring-up scripts read too: lines ``key=value``, keys may
repeat.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import cast, get_args

from forge_edge.errors import NodeConfigError
from forge_shared.releases import Hardware

NAMES: tuple[Hardware, ...] = get_args(Hardware)

_PACKAGED = Path(__file__).parent / "jetson"
_CHECKOUT = Path(__file__).parents[3] / "jetson"

_ONCE = frozenset({"says", "jetson_linux", "watchdog_seconds", "wifi_power_save", "kiosk", "tensorrt"})
_OFTEN = frozenset({"model", "vendor", "power_mode", "setting"})


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of machine is known by, and what follows.

    Attributes:
        name: As the reported twin and releases say it.
        says: In words.
        models: Patterns (as a shell's) of the board's name in the device tree; any that fits.
        vendors: The processor's maker as /proc/cpuinfo says it, for machines without a device tree.
        jetson_linux: Lowest major release of Jetson Linux that is used here; None: it is no Jetson.
        settings: Defaults of the node's settings, by field.
    """

    name: Hardware
    says: str
    models: tuple[str, ...]
    vendors: tuple[str, ...]
    jetson_linux: int | None
    settings: Mapping[str, str]

    def is_model(self, model: str) -> bool:
        """Tell whether a board of this name is of this kind."""
        return any(fnmatchcase(model, pattern) for pattern in self.models)


def folder() -> Path:
    """Return the folder of the bring-up scripts: that of the package, or of the checkout that this is run from."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


@cache
def profiles() -> Sequence[Profile]:
    """Return all profiles, read once.

    Raises:
        NodeConfigError: A file is missing or not written as one.
    """
    return tuple(_read(folder() / "profiles" / f"{name}.conf", name) for name in NAMES)


def profile_of(name: Hardware) -> Profile:
    """Return the profile of a name."""
    return next(profile for profile in profiles() if profile.name == name)


def _read(path: Path, name: str) -> Profile:
    values: dict[str, list[str]] = defaultdict(list)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        raise NodeConfigError(f"the device profile {path.name} is missing: install the node again") from None
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or key not in _ONCE | _OFTEN or (key in _ONCE and key in values):
            raise NodeConfigError(f"{path.name} is no device profile: see its line '{key}'")
        values[key].append(value)
    release = values["jetson_linux"]
    return Profile(
        name=cast("Hardware", name),
        says="".join(values["says"]),
        models=tuple(values["model"]),
        vendors=tuple(values["vendor"]),
        jetson_linux=int(release[0]) if release else None,
        settings=dict(_pair(path, one) for one in values["setting"]),
    )


def _pair(path: Path, written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals:
        raise NodeConfigError(f"{path.name} is no device profile: a setting is written name=value")
    return name, value
