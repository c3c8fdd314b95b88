"""A node's state on a file system of its own: moved there, and back again, whatever comes in between."""

from pathlib import Path

import pytest
from tests.fakes.bare_machine import BareMachine


def test_a_read_only_root_is_refused_while_the_state_has_nowhere_to_be(tmp_path: Path) -> None:
    machine = BareMachine(tmp_path, model="Raspberry Pi 4 Model B Rev 1.5")
    before = (machine.root / "etc/fstab").read_text()
    ended = machine.run("storage", "--apply", "--read-only")
    assert ended.returncode == 1
    assert "forge-state" in ended.stderr
    assert (machine.root / "etc/fstab").read_text() == before


def storage_machine(folder: Path) -> tuple[BareMachine, Path]:
    """Return a machine whose node runs, with a partition for its state, and its state folder."""
    machine = BareMachine(folder, model="Raspberry Pi 4 Model B Rev 1.5")
    (machine.world / "state-partition").touch()
    (machine.world / "active").touch()
    (machine.world / "partition/lost+found").mkdir()
    state = machine.root / "var/lib/forge-edge"
    (state / "keys").mkdir(parents=True)
    (state / "credentials.json").write_text("who it is")
    (state / "keys/device.key").write_text("key")
    return machine, state


def test_a_node_takes_its_state_along_when_that_gets_a_file_system_of_its_own(tmp_path: Path) -> None:
    machine, state = storage_machine(tmp_path)
    ended = machine.run("storage", "--apply", "--read-only")
    assert (ended.returncode, ended.stderr) == (0, "")
    partition = machine.world / "partition"
    assert (partition / "credentials.json").read_text() == "who it is"
    assert (partition / "keys/device.key").read_text() == "key"
    # It is in its place from now on, not from the next start on: what the room notes meanwhile would be hidden then.
    assert (state / "credentials.json").resolve() == (partition / "credentials.json").resolve()
    assert not list(partition.glob(".forge*"))
    calls = machine.calls()
    assert [call for call in calls if call.startswith(("systemctl st", "mount", "umount"))] == [
        "systemctl stop forge-edge.service",
        f"mount LABEL=forge-state {machine.root}/run/forge-state",
        f"umount {machine.root}/run/forge-state",
        f"mount -o noatime,nodev,nosuid,noexec LABEL=forge-state {state}",
        "systemctl start forge-edge.service",
    ]
    fstab = (machine.root / "etc/fstab").read_text()
    assert "LABEL=forge-state /var/lib/forge-edge ext4 noatime,nodev,nosuid,noexec,nofail 0 2" in fstab
    assert {line.split()[1] for line in fstab.splitlines() if line.startswith("tmpfs")} == {
        "/tmp",  # noqa: S108 (what is mounted there)
        "/var/tmp",  # noqa: S108 (the same)
        "/var/log",
    }
    drop_in = machine.root / "etc/systemd/system/forge-edge.service.d/state.conf"
    assert drop_in.read_text() == "[Unit]\nRequiresMountsFor=/var/lib/forge-edge\n"
    assert machine.run("storage", "--apply", "--read-only").returncode == 0
    assert not [call for call in machine.calls() if call.startswith(("mount", "umount", "systemctl stop"))]


@pytest.mark.parametrize("fault", ["bad-partition", "partition/credentials.json"])
def test_a_read_only_root_is_refused_when_the_state_cannot_be_moved(fault: str, tmp_path: Path) -> None:
    machine, state = storage_machine(tmp_path)
    (machine.world / fault).write_text("another node's")
    before = (machine.root / "etc/fstab").read_text()
    ended = machine.run("storage", "--apply", "--read-only")
    assert ended.returncode == 1
    assert "state" in ended.stderr
    assert (machine.root / "etc/fstab").read_text() == before
    assert (state / "credentials.json").read_text() == "who it is"
    assert not state.is_symlink()
    assert not (machine.root / "run/forge-state").is_symlink()
    # The room goes on.
    assert (machine.world / "active").exists()


@pytest.mark.parametrize("program", ["umount", "mount"])
def test_moving_the_state_that_was_cut_short_is_finished_by_the_same_command(program: str, tmp_path: Path) -> None:
    machine, state = storage_machine(tmp_path)
    (machine.world / f"power-cut-at-{program}").touch()
    assert machine.run("storage", "--apply", "--read-only").returncode != 0
    # The room went on where it was; what was mounted aside may be so still.
    (state / "credentials.json").write_text("who it is now")
    (state / "keys/device.key").unlink()
    ended = machine.run("storage", "--apply", "--read-only")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (machine.world / "active").exists()
    partition = machine.world / "partition"
    assert (partition / "credentials.json").read_text() == "who it is now"
    assert not (partition / "keys/device.key").exists()
    assert (partition / "lost+found").is_dir()


def moved(folder: Path) -> tuple[BareMachine, Path]:
    """Return a machine whose node's state has a file system of its own and has changed there since, and its folder."""
    machine, state = storage_machine(folder)
    assert machine.run("storage", "--apply", "--read-only").returncode == 0
    (state / "credentials.json").write_text("who it is now")
    (state / "keys/device.key").unlink()
    (state / "outbox.db").write_text("an alarm that waits")
    (state / "outbox.db").chmod(0o600)
    machine.calls()
    return machine, state


def has_its_state_again(machine: BareMachine, state: Path) -> bool:
    """Tell whether the node runs on the root's file system with what it had last."""
    files = {path.relative_to(state).as_posix(): path.read_text() for path in state.rglob("*") if path.is_file()}
    beside = {path.name for path in state.parent.iterdir()} - {"forge-edge", "forge-device"}
    return (
        not state.is_symlink()
        and files == {"credentials.json": "who it is now", "outbox.db": "an alarm that waits"}
        and (state / "outbox.db").stat().st_mode & 0o777 == 0o600
        and (machine.world / "active").exists()
        and not beside
        and "forge-state" not in (machine.root / "etc/fstab").read_text()
    )


def test_taking_back_leaves_the_node_with_the_state_that_it_has_now(tmp_path: Path) -> None:
    machine, state = moved(tmp_path)
    ended = machine.run("storage", "--undo")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert has_its_state_again(machine, state)
    assert [call for call in machine.calls() if call.startswith(("systemctl st", "mount", "umount"))] == [
        "systemctl stop forge-edge.service",
        f"umount {state}",
        "systemctl start forge-edge.service",
    ]
    # What stays on the other file system is in nobody's way when the state is moved there again.
    assert machine.run("storage", "--apply", "--read-only").returncode == 0
    assert (machine.world / "partition/credentials.json").read_text() == "who it is now"


CUTS = [("cp", 0), ("mv", 0), ("umount", 0), ("mv", 1), ("mv", 2)]


@pytest.mark.parametrize(("program", "after"), [*CUTS, ("systemctl", 0), ("systemctl", 1), ("systemctl", 2)])
def test_taking_the_state_back_that_was_cut_short_is_finished_by_the_same_command(
    program: str, after: int, tmp_path: Path
) -> None:
    machine, state = moved(tmp_path)
    machine.cut_power_at(program, after)
    assert machine.run("storage", "--undo").returncode != 0
    ended = machine.run("storage", "--undo")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert has_its_state_again(machine, state)


@pytest.mark.parametrize(("program", "after"), CUTS)
def test_taking_the_state_back_that_a_start_of_the_machine_cut_short_takes_what_the_node_has_kept_since(
    program: str, after: int, tmp_path: Path
) -> None:
    machine, state = moved(tmp_path)
    (state / "outbox.db").write_text("nothing waits yet")
    machine.cut_power_at(program, after)
    assert machine.run("storage", "--undo").returncode != 0
    machine.start_anew()
    assert (state / "credentials.json").read_text() == "who it is now", "the node goes on with what it had"
    (state / "outbox.db").write_text("an alarm that waits")
    ended = machine.run("storage", "--undo")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert has_its_state_again(machine, state)


def test_taking_back_is_refused_while_there_is_no_room_for_the_state(tmp_path: Path) -> None:
    machine, state = moved(tmp_path)
    (machine.world / "full").write_text("100")
    before = machine.state()
    ended = machine.run("storage", "--undo")
    assert ended.returncode == 1
    assert "no room" in ended.stderr
    assert "MB" in ended.stderr
    assert machine.state() == before
    assert machine.calls() == [], "the node was not even stopped"
    (machine.world / "full").unlink()
    assert machine.run("storage", "--undo").returncode == 0
    assert has_its_state_again(machine, state)


def test_taking_back_is_refused_while_the_state_is_somewhere_that_is_not_mounted(tmp_path: Path) -> None:
    machine, state = moved(tmp_path)
    state.unlink()
    state.with_name("forge-edge.under").rename(state)
    fstab = (machine.root / "etc/fstab").read_text()
    ended = machine.run("storage", "--undo")
    assert ended.returncode == 1
    assert "is not mounted" in ended.stderr
    assert (machine.root / "etc/fstab").read_text() == fstab
