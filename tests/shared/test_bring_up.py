"""Bring-up of a machine: which it is, what would be done, that it is done once, and that it can be taken back."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.bare_machine import SCRIPTS, BareMachine

from forge_edge.device.probe import Machine, fitting
from forge_edge.device.profiles import NAMES, profiles
from forge_edge.settings import NodeSettings

STEPS = ("power", "audio", "camera", "tensorrt", "storage", "kiosk")
PROGRAMS = sorted(path for path in SCRIPTS.iterdir() if path.is_file() and path.read_bytes().startswith(b"#!"))
R39 = "# R39 (release), REVISION: 2.0, GCID: 43210987, BOARD: generic, EABI: aarch64\n"
R36 = "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n"
PC = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD Ryzen Embedded V1605B\n"
CORTEX = "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n"

RECORDED = [
    ("pi-4", Machine("Raspberry Pi 4 Model B Rev 1.5\0")),
    ("pi-4", Machine("Raspberry Pi 400 Rev 1.1\0")),
    ("pi-4", Machine("Raspberry Pi Compute Module 4 Rev 1.1\0")),
    ("pi-4", Machine(cpu_info=f"{CORTEX}\nRevision\t: c03115\nModel\t\t: Raspberry Pi 4 Model B Rev 1.5\n")),
    ("pi-5", Machine("Raspberry Pi 5 Model B Rev 1.0\0")),
    ("pi-5", Machine("Raspberry Pi 500 Rev 1.0\0")),
    ("pi-5", Machine("Raspberry Pi Compute Module 5 Lite Rev 1.0\0")),
    ("orin-nano", Machine("NVIDIA Jetson Orin Nano Developer Kit\0", R39)),
    ("orin-nano", Machine("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super\0", R36)),
    ("orin-nano", Machine("NVIDIA Jetson Orin NX Engineering Reference Developer Kit\0", R39)),
    ("agx-orin", Machine("NVIDIA Jetson AGX Orin Developer Kit\0", R39)),
    ("agx-orin", Machine("Jetson AGX Orin\0", R39)),
    ("x86", Machine(cpu_info=PC)),
    (None, Machine("Raspberry Pi 3 Model B Plus Rev 1.3\0")),
    (None, Machine("Raspberry Pi Zero 2 W Rev 1.0\0")),
    (None, Machine("NVIDIA Jetson Xavier NX Developer Kit\0", R36)),
    (None, Machine("NVIDIA Jetson AGX Thor Developer Kit\0", R39)),
    (None, Machine(jetson_release=R39, cpu_info=CORTEX)),
    (None, Machine(jetson_release=R39, cpu_info=PC)),
    (None, Machine("ROCK 5B\0", cpu_info=PC)),
    (None, Machine(cpu_info=CORTEX)),
    (None, Machine()),
]


def spelt(name: str | None) -> str:
    return name or "none"


@pytest.mark.parametrize(("expected", "machine"), RECORDED, ids=[f"{n}-{spelt(r[0])}" for n, r in enumerate(RECORDED)])
def test_a_machine_is_known_by_what_its_kernel_says_and_an_unknown_one_is_not_guessed(
    expected: str | None, machine: Machine
) -> None:
    found = fitting(machine, profiles())
    assert (found.name if found else None) == expected


def test_the_scripts_know_a_machine_as_the_node_does(tmp_path: Path) -> None:
    found = []
    for number, (_, machine) in enumerate(RECORDED):
        root = tmp_path / str(number)
        for path, text in (
            ("proc/device-tree/model", machine.device_tree),
            ("etc/nv_tegra_release", machine.jetson_release),
            ("proc/cpuinfo", machine.cpu_info),
        ):
            if text:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
        found.append(f'FORGE_DEVICE_ROOT={root} bash -euo pipefail -c ". {SCRIPTS}/lib.sh; probe"; echo')
    # One shell for all of them: starting 22 takes longer than what they do.
    printed = subprocess.run(["bash", "-c", "; ".join(found)], capture_output=True, text=True, check=True, timeout=60)
    said = iter(printed.stdout.splitlines())
    answers = []
    for _ in RECORDED:
        line = next(said)
        answers.append(line or None)
        if line:
            assert next(said) == ""
    assert answers == [expected for expected, _ in RECORDED]


def test_jetson_linux_says_its_release() -> None:
    assert Machine(jetson_release=R36).jetson_linux == (36, 4)
    assert Machine(jetson_release="something else").jetson_linux is None


@pytest.mark.parametrize("name", NAMES)
def test_settings_follow_the_profile_until_somebody_sets_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = next(profile for profile in profiles() if profile.name == name)
    monkeypatch.setenv("FORGE_EDGE_HARDWARE", name)
    settings = NodeSettings()
    assert settings.profile == profile
    for field, value in profile.settings.items():
        assert str(getattr(settings, field)).removesuffix(".0") == value
    monkeypatch.setenv("FORGE_EDGE_CAMERA_RATE", "3")
    assert NodeSettings().camera_rate == 3


def test_the_scripts_are_without_a_fault() -> None:
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    assert shellcheck is not None, "shellcheck is of the development requirements"
    files = [*PROGRAMS, SCRIPTS / "lib.sh"]
    ended = subprocess.run(
        [shellcheck, "--external-sources", *map(str, files)],
        capture_output=True,
        text=True,
        cwd=SCRIPTS.parent,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_without_a_word_more_a_plan_is_printed_and_nothing_is_done(name: str, tmp_path: Path) -> None:
    machine = BareMachine(tmp_path)
    before = machine.state()
    for options in ((), ("--dry-run",)):
        ended = machine.run("bring-up", "--profile", name, *options, *STEPS)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert [line.split(":")[0] for line in ended.stdout.splitlines() if not line.startswith(" ")] == list(STEPS)
        assert "would" in ended.stdout
        assert "  does:" not in ended.stdout
    assert machine.calls() == []
    assert machine.state() == before


def test_plans_differ_where_machines_do(tmp_path: Path) -> None:
    machine = BareMachine(tmp_path)

    def plan(step: str, name: str) -> str:
        return machine.run(step, "--profile", name).stdout

    assert "python3-libnvinfer" in plan("tensorrt", "orin-nano")
    assert "libnvinfer" not in plan("tensorrt", "pi-5")
    assert "wifi.powersave" in plan("power", "pi-4")
    assert "wifi.powersave" not in plan("power", "x86")
    assert "cage" in plan("kiosk", "pi-5")
    assert "cage" not in plan("kiosk", "agx-orin")


@pytest.mark.parametrize(
    ("model", "release"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0", ""),
        ("NVIDIA Jetson Orin Nano Developer Kit", R39),
        ("", ""),
    ],
    ids=["pi-5", "orin-nano", "x86"],
)
def test_what_is_done_twice_is_done_once_and_can_be_taken_back(model: str, release: str, tmp_path: Path) -> None:
    machine = BareMachine(tmp_path, model=model, jetson_release=release)
    (machine.world / "state-partition").touch()
    (machine.root / "etc/forge-edge.env").write_text("FORGE_EDGE_VOICE=en-us\n")
    before = machine.state()
    for step in STEPS:
        options = ["--read-only"] if step == "storage" else []
        once = machine.run(step, "--apply", *options)
        assert (once.returncode, once.stderr) == (0, "")
    done, calls = machine.state(), machine.calls()
    assert done != before
    assert any(call.startswith("nvpmodel -m 1") for call in calls) == bool(release)
    assert any("vision build" in call for call in calls) == bool(release)
    assert "/ ext4 defaults,noatime,ro 0 1" in done[str(machine.root / "etc/fstab")]
    for step in STEPS:
        assert machine.run(step, "--apply", *(["--read-only"] if step == "storage" else [])).returncode == 0
    assert machine.state() == done
    assert not [call for call in machine.calls() if call.startswith(("usermod", "apt-get", "useradd", "nvpmodel"))]
    # An admin goes on working on the machine: that is not undone.
    with (machine.root / "etc/forge-edge.env").open("a") as file:
        file.write("FORGE_EDGE_CAMERA=/dev/forge-camera\n")
    for step in reversed(STEPS):
        ended = machine.run(step, "--undo")
        assert (ended.returncode, ended.stderr) == (0, "")
    settings = "FORGE_EDGE_VOICE=en-us\nFORGE_EDGE_CAMERA=/dev/forge-camera\n"
    expected = {**before, str(machine.root / "etc/forge-edge.env"): settings}
    state = machine.state()
    # A user who was made stays: files may belong to them.
    state.pop(str(machine.world / "groups-forge-screen"), None)
    # The file system that the state was on is let be, and marked as one that may be used again.
    state.pop(str(machine.world / "partition/.forge-moving"))
    assert state == expected


@pytest.mark.parametrize("program", ["gpasswd", "systemctl"])
def test_taking_back_that_was_cut_short_is_finished_by_the_same_command(program: str, tmp_path: Path) -> None:
    machine = BareMachine(tmp_path, model="Raspberry Pi 5 Model B Rev 1.0")
    before = machine.state()
    assert machine.run("kiosk", "--apply").returncode == 0
    (machine.world / f"power-cut-at-{program}").touch()
    assert machine.run("kiosk", "--undo").returncode != 0
    # What an administrator has taken out of a group meanwhile is no reason to stop either.
    groups = machine.world / "groups-forge-screen"
    groups.write_text(groups.read_text().replace("render\n", ""))
    ended = machine.run("kiosk", "--undo")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "systemctl disable --now forge-screen.service" in machine.calls()
    groups.unlink()
    settings = machine.root / "etc/forge-edge.env"
    assert settings.read_text() == ""
    settings.unlink()
    assert machine.state() == before


def test_a_file_that_was_changed_since_is_not_overwritten_by_taking_back(tmp_path: Path) -> None:
    machine = BareMachine(tmp_path, model="Raspberry Pi 5 Model B Rev 1.0")
    (machine.world / "state-partition").touch()
    fstab, slots = machine.root / "etc/fstab", machine.root / "etc/modprobe.d/forge-audio.conf"
    old = fstab.read_text()
    for step, options in (("storage", ["--read-only"]), ("audio", [])):
        assert machine.run(step, "--apply", *options).returncode == 0
    for file in (fstab, slots):
        file.write_text(f"{file.read_text()}# a line of an administrator\n")
    mount = next(line for line in fstab.read_text().splitlines(keepends=True) if "forge-state" in line)
    # That line must go: at the next start it would hide the state that was taken back.
    changed = fstab.read_text().replace(mount, ""), slots.read_text()
    for step, file in (("storage", fstab), ("audio", slots)):
        ended = machine.run(step, "--undo")
        assert (ended.returncode, ended.stderr) == (0, "")
        assert f"was changed since: leaves /{file.relative_to(machine.root)}" in ended.stdout
    assert (fstab.read_text(), slots.read_text()) == changed
    assert (machine.root / "etc/fstab.before-forge").read_text() == old


def test_a_board_without_the_power_mode_is_left_as_it_is(tmp_path: Path) -> None:
    machine = BareMachine(tmp_path, model="NVIDIA Jetson AGX Orin Developer Kit", jetson_release=R39)
    (machine.root / "etc/nvpmodel.conf").write_text("< POWER_MODEL ID=7 NAME=SOMETHING_ELSE >\n")
    ended = machine.run("power", "--apply")
    assert "leaves the power mode" in ended.stdout
    assert not [call for call in machine.calls() if call.startswith("nvpmodel")]


def test_an_old_jetson_linux_is_told_to_be_flashed_and_not_touched(tmp_path: Path) -> None:
    machine = BareMachine(tmp_path, model="NVIDIA Jetson Orin Nano Developer Kit", jetson_release=R36)
    ended = machine.run("tensorrt", "--apply")
    assert ended.returncode == 1
    assert "flash JetPack" in ended.stderr
    assert machine.calls() == []


def test_on_a_machine_that_is_not_known_nothing_is_planned(tmp_path: Path) -> None:
    machine = BareMachine(tmp_path, model="ROCK 5B")
    ended = machine.run("bring-up")
    assert ended.returncode == 1
    assert "no profile fits" in ended.stderr
    assert machine.run("bring-up", "--profile", "toaster").returncode == 1
    assert machine.run("power", "--now").returncode == 2
    assert machine.run("bring-up", "--help").returncode == 0
