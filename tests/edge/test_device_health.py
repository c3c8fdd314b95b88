"""A node that is hot, starved or worn says so before it fails, and an unknown machine claims nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from forge_edge import doctor_machine
from forge_edge.device import probe
from forge_edge.device.health import Health, MachineWatch, read
from forge_edge.doctor import Finding
from forge_edge.settings import NodeSettings

FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
ZONE = "sys/class/thermal/thermal_zone{}/temp"
MEMORY = "MemTotal:        8000000 kB\nMemFree:          100000 kB\nMemAvailable:    {} kB\n"


def machine(root: Path, **files: str) -> Path:
    names = {"firmware": FIRMWARE, "zone0": ZONE.format(0), "zone1": ZONE.format(1), "memory": "proc/meminfo"}
    names |= {name: f"sys/block/mmcblk0/device/{name}" for name in ("life_time", "pre_eol_info")}
    for name, text in files.items():
        path = root / names[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_machine_that_says_nothing_is_not_called_well_or_ill(tmp_path: Path) -> None:
    assert read(tmp_path) == Health()
    assert read(tmp_path).troubles == ()


def test_all_that_a_pi_says_is_read(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        firmware="50005\n",
        zone0="61234\n",
        zone1="83000\n",
        memory=MEMORY.format(300_000),
        life_time="0x09 0x02\n",
        pre_eol_info="0x02\n",
    )
    found = read(root)
    assert found == Health(83.0, True, True, True, 0.0375, 9, 2)
    assert found.troubles == ("machine.hot", "machine.throttled", "power.low", "memory.low", "storage.worn")


def test_a_pi_5_whose_firmware_lies_at_its_address_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled"
    path.parent.mkdir(parents=True)
    path.write_text("50005\n")
    found = read(tmp_path)
    assert (found.is_throttled, found.is_under_voltage, found.was_under_voltage) == (True, True, True)


def test_what_is_well_is_no_trouble_and_what_is_not_defined_is_not_known(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        firmware="0\n",
        zone0="45000\n",
        zone1="-256000\n",
        memory=MEMORY.format(4_000_000),
        life_time="0x00 0x01\n",
        pre_eol_info="0x00\n",
    )
    found = read(root)
    assert found == Health(45.0, False, False, False, 0.5, 1, None)
    assert found.troubles == ()


def test_a_weak_supply_of_an_hour_ago_is_told_by_the_doctor_and_is_no_trouble_of_now(tmp_path: Path) -> None:
    root = machine(tmp_path, firmware="50000\n")
    assert read(root).troubles == ()
    finding = doctor_machine.heat(NodeSettings(), root)
    assert not finding.ok
    assert "since the last start" in finding.found


def test_the_log_says_once_what_begins_and_once_when_it_is_over(tmp_path: Path) -> None:
    root = machine(tmp_path, zone0="85000\n")
    watch = MachineWatch(root)
    with capture_logs() as logs:
        assert watch.look() == watch.look() == ("machine.hot",)
        machine(root, zone0="50000\n")
        assert watch.look() == watch.look() == ()
    assert [line["event"] for line in logs] == ["machine.trouble", "machine.well-again"]


@pytest.mark.parametrize(
    ("files", "check", "ok", "words"),
    [
        ({"zone0": "81000"}, doctor_machine.heat, False, "81 degrees Celsius: hot"),
        ({"firmware": "4"}, doctor_machine.heat, False, "slowed down"),
        ({"zone0": "50000"}, doctor_machine.heat, True, "50 degrees"),
        ({"memory": MEMORY.format(100_000)}, doctor_machine.memory, False, "1 % available"),
        ({"memory": MEMORY.format(4_000_000)}, doctor_machine.memory, True, "50 % available"),
        ({"life_time": "0x0b 0x01"}, doctor_machine.storage, False, "110 %"),
        ({"pre_eol_info": "0x03"}, doctor_machine.storage, False, "hardly any"),
        ({"life_time": "0x02 0x01", "pre_eol_info": "0x01"}, doctor_machine.storage, True, "20 %"),
        ({}, doctor_machine.storage, True, "does not tell"),
    ],
)
def test_the_doctor_says_what_is_wrong_and_what_to_do(
    files: dict[str, str], check: Callable[[NodeSettings, Path], Finding], words: str, tmp_path: Path, *, ok: bool
) -> None:
    finding = check(NodeSettings(), machine(tmp_path, **files))
    assert finding.ok == ok
    assert words in finding.found
    assert bool(finding.do) != ok


def test_the_doctor_knows_the_machine_and_an_old_jetson_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    orin = "NVIDIA Jetson Orin Nano Developer Kit\0"
    old = probe.Machine(orin, "# R36 (release), REVISION: 4.3, GCID: 1\n")
    monkeypatch.setattr(probe, "machine", lambda: old)
    finding = doctor_machine.hardware(NodeSettings())
    assert not finding.ok
    assert "36.4" in finding.found
    monkeypatch.setattr(probe, "machine", lambda: probe.Machine("ROCK 5B\0"))
    assert "no profile fits (ROCK 5B)" in doctor_machine.hardware(NodeSettings()).found
    assert "as set" in doctor_machine.hardware(NodeSettings(hardware="pi-5")).found
