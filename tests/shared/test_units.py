"""The units of systemd: written without a fault, shut in, and started again only where that can help."""

import re
import shlex
import socket
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from forge_edge.__main__ import EXIT_USAGE as EDGE_USAGE
from forge_hub.__main__ import EXIT_USAGE as HUB_USAGE
from forge_hub.__main__ import _parser
from forge_shared import service_manager

FOLDER = Path(__file__).parents[2] / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
TIMERS = sorted(FOLDER.glob("*.timer"))
MOST_EXPOSURE = 3.0

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)


def analyse(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, check=False, text=True, timeout=60)


def exposure(unit: Path) -> float:
    printed = analyse("security", "--offline=true", "--no-pager", str(unit))
    found = re.search(r"exposure level for \S+: ([0-9.]+)", printed.stdout)
    assert found is not None, printed.stderr
    return float(found[1])


@each_unit
def test_a_unit_is_written_without_a_fault(unit: Path, tmp_path: Path) -> None:
    # The programs are not installed here: that is the one thing that is put right before it is looked at.
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE))
    printed = analyse("verify", "--man=no", str(copy))
    assert (printed.returncode, printed.stderr.strip()) == (0, "")


@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.stem)
def test_a_timer_is_written_without_a_fault_and_starts_what_is_there(timer: Path, tmp_path: Path) -> None:
    for unit in (timer, timer.with_suffix(".service")):
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    printed = analyse("verify", "--man=no", str(tmp_path / timer.name))
    assert (printed.returncode, printed.stderr.strip()) == (0, "")
    calendar = re.search(r"^OnCalendar=(.+)$", timer.read_text(), flags=re.MULTILINE)
    assert calendar is not None
    assert analyse("calendar", calendar[1]).returncode == 0


def test_what_a_timer_starts_is_a_command_of_ours() -> None:
    assert [timer.stem for timer in TIMERS] == ["forge-hub-audit", "forge-hub-backup"]
    for timer in TIMERS:
        command = re.search(r"^ExecStart=\S+/forge-hub (.+)$", timer.with_suffix(".service").read_text(), re.MULTILINE)
        assert command is not None
        _parser().parse_args(command[1].split())


@pytest.mark.parametrize("journal", sorted(FOLDER.glob("journald-*.conf")), ids=lambda journal: journal.stem)
def test_a_journal_has_a_limit(journal: Path, tmp_path: Path) -> None:
    written = ConfigParser(interpolation=None)
    written.read_string(journal.read_text())
    limits = {"volatile": "runtimemaxuse", "persistent": "systemmaxuse"}
    assert limits[written["Journal"]["storage"]] in written["Journal"]
    # journald itself reads it without a complaint: what it does not know it would say.
    (tmp_path / "etc/systemd/journald.conf.d").mkdir(parents=True)
    (tmp_path / "etc/systemd/journald.conf.d/forge.conf").write_bytes(journal.read_bytes())
    shown = analyse("cat-config", f"--root={tmp_path}", "systemd/journald.conf")
    assert "[Journal]" in shown.stdout


@each_unit
def test_a_unit_can_reach_little_beside_what_it_needs(unit: Path) -> None:
    assert exposure(unit) <= MOST_EXPOSURE


def test_a_unit_that_is_not_shut_in_is_seen_as_such(tmp_path: Path) -> None:
    bare = tmp_path / "bare.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n")
    assert exposure(bare) > MOST_EXPOSURE


@pytest.mark.parametrize(("name", "status"), [("forge-edge", EDGE_USAGE), ("forge-hub", HUB_USAGE)])
def test_what_is_set_up_wrongly_is_not_started_again_and_what_dies_always_is(name: str, status: int) -> None:
    unit = ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # systemd heeds the case of its keys
    unit.read_string((FOLDER / f"{name}.service").read_text())
    service = unit["Service"]
    assert service["RestartPreventExitStatus"] == str(status)
    assert service["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert service["Type"] == "notify"


def test_the_line_with_which_the_node_is_looked_at_by_hand_sees_what_its_unit_sees() -> None:
    unit = (FOLDER / "forge-edge.service").read_text()
    said = re.search(r"systemd-run (?:.+\\\n)*.+", (FOLDER.parent / "docs/devices.md").read_text())
    assert said is not None
    words = shlex.split(said[0].replace("\\\n", " "))
    values = dict(re.findall(r"^(User|SupplementaryGroups|Environment|EnvironmentFile)=(.+)$", unit, re.MULTILINE))
    assert f"--uid={values['User']}" in words
    assert f"--setenv={values['Environment']}" in words
    assert f"--property=EnvironmentFile={values['EnvironmentFile']}" in words
    groups = next(word for word in words if word.startswith("--property=SupplementaryGroups=")).split("=")[2]
    # Beside the unit's own: the journal, for the support bundle.
    assert groups.split() == [*values["SupplementaryGroups"].split(), "systemd-journal"]


def test_the_service_manager_is_told_where_it_listens_and_nobody_is_told_where_it_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    service_manager.notify("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        service_manager.notify("WATCHDOG=1")
        assert manager.recv(64) == b"WATCHDOG=1"
