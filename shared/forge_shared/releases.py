"""What a model release says of itself: its files, what goes in and comes out, and when it must be taken back.

A release is a directory with a ``manifest.json`` of this shape. The hub signs it, a node checks every word of it before
anything of it runs.
"""

from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from forge_shared.model import Frozen

ReleaseRole = Literal["wake-word", "transcriber", "voice", "pose", "language-model"]
"""What a model does in a room. A node has one active release and one inactive slot for each."""

ReleaseFormat = Literal["onnx", "ctranslate2", "piper", "gguf", "wake-word"]
"""In what form the model is portable; engines for one device are built from it there."""

Hardware = Literal["pi-4", "pi-5", "orin-nano", "agx-orin", "x86"]
"""Profiles of `jetson/` that a release was made for."""

MANIFEST = "manifest.json"
"""The manifest's own name in its directory; it is not among its files."""
MOST_FILES = 1_000
"""Files of a release. Ours: the largest known have some tens."""
MOST_BYTES = 64 * 2**30
"""Bytes of a file. Ours: more than any model that fits into the largest device (AGX Orin, 64 GB of memory)."""


def _inside(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or str(parts) != path or path == MANIFEST:
        raise ValueError("a path inside the release, written plainly")
    return path


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ReleasePath = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$", max_length=200),
    AfterValidator(_inside),
]
ReleaseName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ReleaseVersion = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$", max_length=32)]
"""Major, minor, patch (Semantic Versioning 2.0.0, without pre-releases: a candidate is a roll-out, not a version)."""


class ReleaseFile(Frozen):
    """One file with what it must be."""

    path: ReleasePath
    sha256: Sha256
    bytes: Annotated[int, Field(ge=0, le=MOST_BYTES)]


class Tensor(Frozen):
    """An input or output: its shape (a name stands for what varies), element type, axes in words and unit."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    shape: tuple[Annotated[int, Field(ge=1)] | Annotated[str, Field(min_length=1, max_length=50)], ...]
    dtype: Literal["float32", "float16", "int64", "int32", "int16", "uint8", "int8", "text"]
    axes: tuple[Annotated[str, Field(max_length=200)], ...] = ()
    unit: Annotated[str, Field(min_length=1, max_length=100)]


class Golden(Frozen):
    """An input and the output that a node must get from it, within a tolerance, before the release may serve."""

    input: ReleasePath
    output: ReleasePath
    tolerance: Annotated[float, Field(ge=0, le=1)]
    """Greatest absolute difference of any value, as a share of the output's range."""


class TrialLimits(Frozen):
    """What takes a release back while it is on trial in a room. What is absent is not judged."""

    seconds: Annotated[int, Field(ge=60, le=7 * 86_400)]
    """How long the trial lasts."""
    latency_ms: Annotated[float, Field(gt=0)] | None = None
    """95th percentile."""
    memory_mb: Annotated[float, Field(gt=0)] | None = None
    temperature_celsius: Annotated[float, Field(gt=0, le=120)] | None = None
    false_alerts_per_hour: Annotated[float, Field(ge=0)] | None = None


class ReleaseMetric(Frozen):
    """A figure with the data that it was measured on."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    value: float
    data: Annotated[str, Field(min_length=1, max_length=200)]


class Provenance(Frozen):
    """Where it comes from: the command or the repository, the data's licences, and when."""

    source: Annotated[str, Field(min_length=1, max_length=300)]
    data_licences: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...]
    made_at: AwareDatetime


class Manifest(Frozen):
    """A model release. ``release_counter`` grows with every release of a name and never falls back unnoticed."""

    name: ReleaseName
    version: ReleaseVersion
    release_counter: Annotated[int, Field(ge=1)]
    role: ReleaseRole
    format: ReleaseFormat
    licence: Annotated[str, Field(min_length=1, max_length=100)]
    """SPDX identifier."""
    card: ReleasePath
    files: Annotated[tuple[ReleaseFile, ...], Field(min_length=2, max_length=MOST_FILES)]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    hardware: Annotated[tuple[Hardware, ...], Field(min_length=1)]
    golden: Golden
    limits: TrialLimits
    metrics: tuple[ReleaseMetric, ...] = ()
    provenance: Provenance

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        paths = [file.path for file in self.files]
        if len(set(paths)) != len(paths):
            raise ValueError("a file is named twice")
        if missing := {self.card, self.golden.input, self.golden.output} - set(paths):
            raise ValueError(f"{len(missing)} of card, golden input and golden output are not among the files")
        return self

    @property
    def target(self) -> str:
        """The name of the packed release, a TUF target path."""
        return f"{self.name}-{self.version}.tar"
