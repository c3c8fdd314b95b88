"""Writes a release's folder from a model's files: the manifest, the card, the digests, golden input and output."""

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from forge_hub.errors import ReleaseError
from forge_hub.releases import golden
from forge_hub.releases.golden import Given
from forge_hub.releases.kinds import KINDS, Chosen
from forge_hub.releases.package import digest, read_release
from forge_shared.releases import MANIFEST, Hardware, Manifest, Provenance, ReleaseFile, TrialLimits

CARD: Final = "card.md"
TRIAL_SECONDS: Final = 86_400
"""A day and a night in a room. Ours."""
EVERYWHERE: Final[tuple[Hardware, ...]] = ("pi-4", "pi-5", "orin-nano", "agx-orin", "x86")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a release that its files do not tell.

    Attributes:
        name: Its name; ``counter`` grows with every release of it.
        source: Where the files come from, for people: a repository with its commit, or a folder.
        licence: SPDX identifier of the model.
        data_licences: Those of what it was trained on, as far as anybody says.
        hardware: Profiles that it is for.
        latency_ms: Above which 95th percentile a trial takes it back; None: not judged.
    """

    name: str
    version: str
    counter: int
    source: str
    licence: str
    data_licences: tuple[str, ...]
    made_at: datetime
    hardware: tuple[Hardware, ...] = EVERYWHERE
    latency_ms: float | None = None


def make_release(  # noqa: PLR0913 (what a release is made of)
    source: Path, chosen: Chosen, out: Path, said: Said, given: Given, *, linked: bool = False
) -> Manifest:
    """Write a release's folder; it appears whole or not at all.

    Args:
        source: The folder that holds the chosen files.
        chosen: Which they are.
        out: The folder to write; it must not be there.
        said: What else there is to say.
        given: Golden input and output that need not be made.
        linked: Whether the files of ``source`` are nobody else's, so that they need not be copied.

    Raises:
        ReleaseError: ``out`` is there, the golden output cannot be made, or something does not fit a manifest.
        OSError: Something could not be read or written.
    """
    if out.exists():
        raise ReleaseError(f"{out.name} is there already: take it away, or choose another with --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    making = out.parent / f".{out.name}.making"
    shutil.rmtree(making, ignore_errors=True)
    try:
        making.mkdir()
        for name, path in {**chosen.files, **chosen.says}.items():
            _place(source / path, making / name, linked=linked)
        made = golden.make(chosen.role, making, chosen.main, given)
        (making / CARD).write_text(_card(chosen, said), encoding="utf-8")
        kind = KINDS[chosen.role]
        try:
            manifest = Manifest(
                name=said.name,
                version=said.version,
                release_counter=said.counter,
                role=chosen.role,
                format=kind.format,
                licence=said.licence,
                card=CARD,
                files=_files(making),
                inputs=kind.inputs,
                outputs=kind.outputs,
                hardware=said.hardware,
                golden=made,
                limits=TrialLimits(seconds=TRIAL_SECONDS, latency_ms=said.latency_ms),
                provenance=Provenance(source=said.source, data_licences=said.data_licences, made_at=said.made_at),
            )
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise ReleaseError(f"it makes no manifest: {place}: {first['msg']}") from None
        (making / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        read_release(making)
        making.rename(out)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return manifest


def slug(text: str) -> str:
    """Return a text as a release's name: lower-case letters, digits and hyphens, at most 63."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "model"


def _place(source: Path, target: Path, *, linked: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if linked:
        with suppress(OSError):  # another file system: it is copied
            os.link(source, target)
            return
    shutil.copyfile(source, target)


def _files(folder: Path) -> tuple[ReleaseFile, ...]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return tuple(
        ReleaseFile(path=path.relative_to(folder).as_posix(), sha256=digest(path), bytes=path.stat().st_size)
        for path in found
    )


def _card(chosen: Chosen, said: Said) -> str:
    facts: Mapping[str, str] = {
        "Role": chosen.role,
        "Source": said.source,
        "Licence": said.licence,
        "Licences of its data": ", ".join(said.data_licences),
        "Imported": said.made_at.isoformat(timespec="seconds"),
    }
    lines = [f"# {said.name} {said.version}", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    if chosen.says:
        lines += [f"What its makers say of it: {', '.join(f'`{name}`' for name in sorted(chosen.says))}.", ""]
    lines += ["It was not measured on this site: its trial in a room is what judges it.", ""]
    return "\n".join(lines)
