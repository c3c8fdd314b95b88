"""The command line's way in for models made elsewhere: ``forge-hub model import`` and ``forge-hub model import-hub``.

Both write a release's folder, ready for ``forge-hub model add``; nothing is signed or published by them.
"""

import argparse
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from forge_hub.errors import ReleaseError
from forge_hub.releases import hugging_face
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.golden import Given
from forge_hub.releases.kinds import KINDS, Chosen, choose
from forge_hub.releases.licences import SPDX, spdx
from forge_hub.releases.making import EVERYWHERE, Said, make_release, slug
from forge_hub.settings import HubSettings
from forge_shared.clock import SystemClock
from forge_shared.releases import Hardware

IMPORTS = "imports"
"""In the hub's state folder: what is being fetched."""

Part = Callable[[str, Callable[[HubSettings, argparse.Namespace], None], str], argparse.ArgumentParser]
"""Adds a command, given its name, what it runs and what it does."""


def add_imports(part: Part) -> None:
    """Add the commands."""
    folder = part("import", _import, "Make a release of a folder with a model's files.")
    folder.add_argument("folder", type=Path)
    remote = part(
        "import-hub", _import_hub, "Make a release of a Hugging Face repository, or of a mirror that HF_ENDPOINT names."
    )
    remote.add_argument("repo", metavar="OWNER/NAME")
    remote.add_argument("--revision", help="branch, tag or commit (default: the newest)")
    remote.add_argument("--work", type=Path, help="where to fetch to (default: imports in the state folder)")
    for each in (folder, remote):
        each.add_argument("--role", choices=sorted(KINDS), help="default: as its files tell")
        each.add_argument("--file", metavar="PATH", help="which of several models: its weights, or their folder")
        each.add_argument("--out", type=Path, help="folder to write (default: NAME-VERSION)")
        each.add_argument("--name", help="of the release (default: of the model)")
        each.add_argument("--version", help="default: 1.N.0, N counted from 0 by the releases of this name")
        each.add_argument("--licence", metavar="SPDX", help="default: as the model card says")
        each.add_argument("--data-licence", action="append", default=[], metavar="LICENCE", help="of its training data")
        each.add_argument("--hardware", action="append", choices=get_args(Hardware), help="default: all profiles")
        each.add_argument("--latency-ms", type=float, help="a trial takes it back above this 95th percentile")
        each.add_argument("--golden-input", type=Path, metavar="FILE", help="speech (WAV), or for a voice a text")
        each.add_argument("--golden-output", type=Path, metavar="FILE", help="what must come out of it (JSON)")


@dataclass(frozen=True, slots=True)
class _Source:
    """A model's files as they lie there, and what is known of them."""

    folder: Path
    chosen: Chosen
    source: str
    licence: str | None
    linked: bool


def _import(settings: HubSettings, options: argparse.Namespace) -> None:
    folder: Path = options.folder
    if not folder.is_dir():
        raise ReleaseError(f"there is no folder {folder.name}")
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    name = folder.resolve().name
    chosen = choose(paths, options.role, options.file, name)
    _make(settings, options, _Source(folder, chosen, f"folder {name}", None, linked=False))


def _import_hub(settings: HubSettings, options: argparse.Namespace) -> None:
    repository = hugging_face.look(options.repo, options.revision)
    name = repository.name.rsplit("/", 1)[-1]
    chosen = choose([file.path for file in repository.files], options.role, options.file, name)
    work: Path = options.work or settings.folder / IMPORTS
    into = work / slug(repository.name) / repository.commit
    licence = repository.licence
    if options.licence is None and spdx(licence) is None:
        raise _no_licence(licence)
    hugging_face.fetch(repository, [*chosen.files.values(), *chosen.says.values()], into)
    _make(settings, options, _Source(into, chosen, repository.source, licence, linked=True))
    shutil.rmtree(into, ignore_errors=True)


def _make(settings: HubSettings, options: argparse.Namespace, of: _Source) -> None:
    licence = options.licence or spdx(of.licence)
    if licence is None:
        raise _no_licence(of.licence)
    name = options.name or slug(of.chosen.stem)
    counter = _next_counter(settings, name)
    version = options.version or f"1.{counter - 1}.0"
    out: Path = options.out or Path(f"{name}-{version}")
    said = Said(
        name=name,
        version=version,
        counter=counter,
        source=of.source,
        licence=licence,
        data_licences=tuple(options.data_licence) or ("not stated",),
        made_at=SystemClock().now(),
        hardware=tuple(options.hardware) if options.hardware else EVERYWHERE,
        latency_ms=options.latency_ms,
    )
    given = Given(options.golden_input, options.golden_output)
    try:
        manifest = make_release(of.folder, of.chosen, out.resolve(), said, given, linked=of.linked)
    except OSError as error:
        raise ReleaseError(f"the release cannot be written ({type(error).__name__})") from None
    size = sum(file.bytes for file in manifest.files)
    print(f"{out}: {manifest.role}, {size / 1e6:.1f} MB, {manifest.licence}")
    print(f"Read its card, then: `forge-hub model add {out}`")


def _next_counter(settings: HubSettings, name: str) -> int:
    images = Catalogue(settings.folder / "releases", SystemClock()).images
    found = {**images.targets(), **(images.staged_targets() or {})}
    of_name = [target.custom or {} for target in found.values() if (target.custom or {}).get("name") == name]
    return max((int(each["release_counter"]) for each in of_name), default=0) + 1


def _no_licence(named: str | None) -> ReleaseError:
    said = "the model's licence is not stated" if named is None else f"'{named[:40]}' is no licence of SPDX"
    return ReleaseError(f"{said}: read its card and say --licence, such as {SPDX['mit']} or {SPDX['apache-2.0']}")
