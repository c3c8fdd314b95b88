"""What a fresh machine becomes a node from: our wheels, the same bytes each time, served, and pinned in the line."""

import asyncio
import hashlib
import shlex
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.fakes import keys
from tests.fakes.pages import client, csrf, open_pages, serve

from forge_hub.__main__ import main
from forge_hub.errors import BundleError
from forge_hub.fleet import bundle

INSTALLER = '#!/usr/bin/env bash\necho installed "$@"\n'


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "wheels"
    folder.mkdir()
    made = []
    for name in bundle.DISTRIBUTIONS:
        path = folder / f"{name}-0.1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", "")
            if name == "persona_forge_edge":
                wheel.writestr("forge_edge/device/jetson/install", INSTALLER)
                wheel.writestr("forge_edge/device/systemd/forge-edge.service", "[Service]\n")
                wheel.writestr("forge_edge/device/edge.txt", "")
        made.append(path)
    return made


def test_a_bundle_holds_what_a_node_is_made_of_and_is_the_same_for_the_same_wheels(
    wheels: list[Path], tmp_path: Path
) -> None:
    one = bundle.make(wheels, None, tmp_path / "one")
    assert bundle.make(list(reversed(wheels)), None, tmp_path / "two") == one
    path, described = bundle.served(tmp_path / "one") or (Path(), None)
    assert described == one
    assert hashlib.sha256(path.read_bytes()).hexdigest() == one.sha256
    assert path.stat().st_size == one.bytes
    with tarfile.open(path) as tar:
        modes = {entry.name.removeprefix(f"{bundle.NAME}/"): entry.mode for entry in tar}
    assert modes == {
        "jetson/install": 0o755,
        "systemd/forge-edge.service": 0o644,
        "edge.txt": 0o644,
        **{f"wheels/{wheel.name}": 0o644 for wheel in wheels},
    }


def test_packages_come_along_where_rooms_reach_the_hub_alone(wheels: list[Path], tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "numpy-1.0-py3-none-any.whl").write_bytes(b"wheel")
    (packages / "notes.txt").write_text("no package")
    bundle.make(wheels, packages, tmp_path / "install")
    with tarfile.open(tmp_path / "install/node.tar") as tar:
        assert [name for name in tar.getnames() if "/packages/" in name] == [
            f"{bundle.NAME}/packages/numpy-1.0-py3-none-any.whl"
        ]


def test_what_makes_no_node_is_refused(wheels: list[Path], tmp_path: Path) -> None:
    other = wheels[0].with_name(wheels[0].name.replace("0.1.0", "0.2.0"))
    other.write_bytes(wheels[0].read_bytes())
    empty = tmp_path / wheels[0].name
    with zipfile.ZipFile(empty, "w"):
        pass
    broken = tmp_path / "broken" / wheels[0].name
    broken.parent.mkdir()
    broken.write_bytes(b"no wheel")
    for given in (wheels[1:], [*wheels, other], [other, *wheels[1:]], [empty, *wheels[1:]], [broken, *wheels[1:]]):
        with pytest.raises(BundleError):
            bundle.make(given, None, tmp_path / "install")
    assert bundle.served(tmp_path / "install") is None


async def test_the_line_installs_what_the_hub_serves_and_nothing_else(wheels: list[Path], tmp_path: Path) -> None:
    with open_pages(tmp_path, https=True) as pages:
        folder = pages.parts.fleet.install_folder
        assert folder is not None
        async with client(pages) as http:
            assert (await http.get(bundle.PATH)).status_code == 404
        made = bundle.make(wheels, None, folder)
        async with serve(pages, keys.authority(tmp_path)) as address:

            async def typed(line: str) -> "subprocess.CompletedProcess[str]":
                command = ["bash", "-c", line]
                return await asyncio.to_thread(
                    subprocess.run, command, capture_output=True, text=True, timeout=60, check=False
                )

            line = bundle.line(made, address, "one two three")
            ended = await typed(line)
            assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, f"installed {address} one two three")
            other = await typed(line.replace(made.sha256, "0" * 64))
            assert other.returncode != 0
            assert "installed" not in other.stdout


async def test_the_page_of_a_claim_shows_the_line_and_the_way_by_hand(wheels: list[Path], tmp_path: Path) -> None:
    with open_pages(tmp_path, https=True, claims=True) as pages:
        pages.account("admin")
        async with client(pages, "admin") as http:
            form = {"node": "room-9", "csrf_token": csrf(pages, http)}
            assert "node.tar" not in (await http.post("/fleet/claims", data=form)).text
            folder = pages.parts.fleet.install_folder
            assert folder is not None
            made = bundle.make(wheels, None, folder)
            shown = (await http.post("/fleet/claims", data=form)).text
    assert f"echo &#39;{made.sha256}  node.tar&#39;" in shown
    assert "By hand" in shown


def test_the_command_makes_it_and_says_what_to_type(
    wheels: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path / "state"))
    assert main(["install-bundle", *map(str, wheels)]) == 0
    assert "FORGE_HUB_TLS=own" in capsys.readouterr().out
    monkeypatch.setenv("FORGE_HUB_TLS", "own")
    assert main(["install-bundle", *map(str, wheels)]) == 0
    line = next(text for text in capsys.readouterr().out.splitlines() if "sha256sum" in text and "curl" in text)
    assert shlex.split(line)[-1].startswith("https://")
    assert main(["claim", "room-1"]) == 0
    assert "jetson/install https://" in capsys.readouterr().out
