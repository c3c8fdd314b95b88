"""What `forge-edge doctor` says of the machine: which it is, its heat and power, its memory, its storage."""

from pathlib import Path

from forge_edge.device import health, probe
from forge_edge.doctor import Finding
from forge_edge.settings import NodeSettings


def hardware(settings: NodeSettings) -> Finding:
    """Say which profile the machine has, and whether what it runs on is one that was thought of."""
    found, profile = probe.machine(), settings.profile
    if profile is None:
        return Finding(
            "hardware",
            ok=True,
            found=f"no profile fits ({found.model or 'an unnamed board'}): defaults, and no releases for its kind",
            do="set FORGE_EDGE_HARDWARE if it is as good as one of them",
        )
    release = found.jetson_linux
    if profile.jetson_linux is not None and release is not None and release[0] < profile.jetson_linux:
        return Finding(
            "hardware",
            ok=False,
            found=f"{profile.name}, Jetson Linux {release[0]}.{release[1]}",
            do=f"flash Jetson Linux {profile.jetson_linux} or newer: jetson/README.md",
        )
    chosen = "as set" if settings.hardware != "auto" else "probed"
    return Finding("hardware", ok=True, found=f"{profile.name} ({profile.says}), {chosen}")


def heat(_: NodeSettings, root: Path = Path("/")) -> Finding:
    """Say how warm the machine is, and whether it is slowed down or has too little power."""
    found = health.read(root)
    said = "no sensor" if found.temperature_celsius is None else f"{found.temperature_celsius:.0f} degrees Celsius"
    if found.is_under_voltage or found.was_under_voltage:
        when = "now" if found.is_under_voltage else "since the last start"
        return Finding(
            "heat, power", ok=False, found=f"{said}; too little power {when}", do="use the maker's own power supply"
        )
    if found.is_throttled:
        return Finding("heat, power", ok=False, found=f"{said}; slowed down", do="give it a fan, or air around it")
    if "machine.hot" in found.troubles:
        return Finding("heat, power", ok=False, found=f"{said}: hot", do="give it a fan, or air around it")
    return Finding("heat, power", ok=True, found=said)


def memory(_: NodeSettings, root: Path = Path("/")) -> Finding:
    """Say how much memory is left."""
    share = health.read(root).memory_available_share
    if share is None:
        return Finding("memory", ok=True, found="the kernel does not say")
    found = f"{100 * share:.0f} % available"
    if share < health.LOW_MEMORY_SHARE:
        return Finding("memory", ok=False, found=found, do="set FORGE_EDGE_HEARING=light, or take a larger board")
    return Finding("memory", ok=True, found=found)


def storage(_: NodeSettings, root: Path = Path("/")) -> Finding:
    """Say how worn the storage is, where it tells."""
    found = health.read(root)
    if found.storage_tenths is None and found.storage_spare is None:
        return Finding("storage", ok=True, found="does not tell its wear (cards and discs do not)")
    used = "" if found.storage_tenths is None else f"up to {10 * found.storage_tenths} % of its life used"
    spare = {1: "spare blocks left", 2: "few spare blocks left", 3: "hardly any spare block left"}
    said = ", ".join(part for part in (used, spare.get(found.storage_spare or 0, "")) if part)
    if "storage.worn" in found.troubles:
        return Finding("storage", ok=False, found=said, do="exchange it: enrol the new node with a new claim")
    return Finding("storage", ok=True, found=said)
