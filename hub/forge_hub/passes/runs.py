"""Runs: what is remembered of a transcript on its way, in a folder that a kill at any moment leaves whole."""

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError

from forge_hub.passes.errors import PassError, RunUnknownError
from forge_hub.passes.readers import Format
from forge_hub.passes.rows import Chunk
from forge_hub.passes.speakers import Turn
from forge_shared.events import Identifier, Pseudonym, UtcDatetime
from forge_shared.files import replace
from forge_shared.model import Frozen

Kept = TypeVar("Kept", bound=Frozen)
PassName = Literal["a", "b", "c"]

FOLDER = "passes"
"""Of the runs, in the hub's state folder."""
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://personaforge.org/transcripts")


class Shorter(Frozen):
    """A transcript before it grew.

    Attributes:
        digest: Of its turns.
        turns: How many it had.
        end: Ordinal of the row after which the session was logged as ended; None: it grew before that.
    """

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    turns: Annotated[int, Field(ge=1)]
    end: Annotated[int, Field(ge=1)] | None


class Run(Frozen):
    """One transcript of one session of one person on its way into the stores.

    Attributes:
        id: Also the epoch under which its events are logged: the same transcript of the same person is the same run.
        started_at: When the session began.
        digest: SHA-256 of its turns as they were read: another format of the same words is no other transcript.
        turns: How many it has.
        consent: Id of the consent that the import rests on.
        imported_at: When the run was begun.
        before: What it was before it grew; the id is of how it came first.
    """

    id: Identifier
    person: Pseudonym
    session: Identifier
    started_at: UtcDatetime
    format: Format
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    turns: Annotated[int, Field(ge=1)]
    consent: Identifier
    imported_at: UtcDatetime
    before: tuple[Shorter, ...] = ()


class Progress(Frozen):
    """How far a run is: chunks that a pass has done, and the passes that are at their end, with how many turns."""

    turns: int = 0
    chunks: dict[PassName, int] = {}  # noqa: RUF012 (pydantic copies it)
    done: tuple[PassName, ...] = ()


def digest_of(turns: Sequence[Turn]) -> str:
    """Return the SHA-256 of what was said, by whom and when, however the file writes it."""
    whole = [(turn.speaker, turn.text, turn.seconds) for turn in turns]
    return hashlib.sha256(json.dumps(whole, ensure_ascii=False).encode(errors="replace")).hexdigest()


def session_of(person: str, digest: str, generation: int = 0) -> str:
    """Return the id of the session of a transcript that names none."""
    return str(uuid.uuid5(_NAMESPACE, f"session|{person}|{digest}|{generation}"))


def run_of(site: str, person: str, session: str, digest: str, generation: int = 0) -> str:
    """Return the id of the run of a transcript; ``generation`` counts how often it has been removed before."""
    return str(uuid.uuid5(_NAMESPACE, f"run|{site}|{person}|{session}|{digest}|{generation}"))


def event_of(run: str, sequence: int) -> str:
    """Return the id of an event of a run: the same whenever the run is repeated."""
    return str(uuid.uuid5(uuid.UUID(run), str(sequence)))


def sequence_of(run: Run, ordinal: int) -> int:
    """Return the number of a row's event: after the session's start, and after each end before it grew."""
    return ordinal + 1 + sum(each.end is not None and each.end < ordinal for each in run.before)


def moment_of(run: Run, ordinal: int, seconds: float | None) -> datetime:
    """Return when something was said. Where the file does not tell, each row is a second after the one before."""
    return run.started_at + timedelta(seconds=ordinal - 1 if seconds is None else seconds)


class RunFolder:
    """What one run has on disk. Every file is replaced whole.

    ``run.json`` says what it is, ``progress.json`` how far it is, ``a/`` holds the rows in chunks, ``c/`` the graph of
    each chunk as JSON and as Cypher; ``stop`` is there while it shall stop.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, folder: Path, run: Run) -> "RunFolder":
        """Make a run's folder, or open it where it is there already."""
        own = cls(folder / FOLDER / run.id)
        for name in ("a", "c"):
            (own.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (own.path / "run.json").exists():
            own._write("run.json", run.model_dump_json(indent=1).encode() + b"\n")
        return own

    @classmethod
    def open(cls, folder: Path, run: str) -> "RunFolder":
        """Return the run whose id begins so.

        Raises:
            RunUnknownError: There is none, or several.
        """
        found = [each for each in all_runs(folder) if each.path.name.startswith(run)]
        if len(found) != 1 or not run:
            raise RunUnknownError("there is no such run" if not found else "several runs begin so; give more of the id")
        return found[0]

    @property
    def run(self) -> Run:
        """What it is.

        Raises:
            PassError: It cannot be read.
        """
        return _read(Run, self.path / "run.json")

    @property
    def progress(self) -> Progress:
        """How far it is; of a transcript that has grown since, every pass is to be done again.

        Raises:
            PassError: It cannot be read.
        """
        path, turns = self.path / "progress.json", self.run.turns
        progress = _read(Progress, path) if path.exists() else Progress()
        return progress if progress.turns == turns else Progress(turns=turns, chunks=progress.chunks)

    def grow(self, digest: str, turns: int) -> None:
        """Let the transcript be one of which the present one is the beginning.

        One file changes, so a kill leaves the one transcript or the other.
        """
        run = self.run
        # Before pass A was at its end, no end of the session can have been logged.
        end = self.chunk(self.chunks()).rows[-1].ordinal if "a" in self.progress.done else None
        before = (*run.before, Shorter(digest=run.digest, turns=run.turns, end=end))
        grown = run.model_copy(update={"digest": digest, "turns": turns, "before": before})
        self._write("run.json", grown.model_dump_json(indent=1).encode() + b"\n")

    def note(self, name: PassName, chunks: int, *, done: bool = False) -> None:
        """Remember how far a pass is."""
        before = self.progress
        finished = {*before.done, name} if done else set(before.done)
        progress = Progress(turns=before.turns, chunks={**before.chunks, name: chunks}, done=tuple(sorted(finished)))
        if progress != before:
            self._write("progress.json", progress.model_dump_json().encode() + b"\n")

    def chunks(self) -> int:
        """Return how many chunks pass A has written, the first of them without a gap."""
        number = 0
        while self._chunk(number + 1).exists():
            number += 1
        return number

    def chunk(self, number: int) -> Chunk:
        """Return a chunk of rows.

        Raises:
            PassError: It is not there or cannot be read.
        """
        return _read(Chunk, self._chunk(number))

    def read_chunks(self) -> Iterator[Chunk]:
        """Yield the chunks in their order."""
        for number in range(1, self.chunks() + 1):
            yield self.chunk(number)

    def write_chunk(self, chunk: Chunk) -> None:
        """Keep a chunk of rows."""
        self._write(f"a/{chunk.number:05}.json", chunk.model_dump_json(indent=1).encode() + b"\n")

    def write_graph(self, number: int, document: str, statements: str) -> None:
        """Keep the graph of a chunk as JSON and as Cypher."""
        self._write(f"c/{number:05}.json", document.encode())
        self._write(f"c/{number:05}.cypher", statements.encode())

    def read_graph(self, number: int) -> tuple[str, str]:
        """Return the graph of a chunk as JSON and as Cypher.

        Raises:
            PassError: It cannot be read.
        """
        paths = [self.path / "c" / f"{number:05}.{suffix}" for suffix in ("json", "cypher")]
        try:
            document, statements = (path.read_text(encoding="utf-8") for path in paths)
        except (OSError, UnicodeDecodeError) as error:
            raise PassError(f"the graph of a chunk cannot be read ({type(error).__name__})") from None
        return document, statements

    def ask_to_stop(self) -> None:
        """Let whoever works on the run stop."""
        self._write("stop", b"")

    def is_to_stop(self) -> bool:
        """Tell whether the run shall stop."""
        return (self.path / "stop").exists()

    def go_on(self) -> None:
        """Forget that the run was to stop."""
        (self.path / "stop").unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _chunk(self, number: int) -> Path:
        return self.path / "a" / f"{number:05}.json"

    def _write(self, name: str, content: bytes) -> None:
        try:
            replace(self.path / name, content, mode=0o600)
        except OSError as error:
            raise PassError(f"the run's folder cannot be written ({type(error).__name__})") from None


def all_runs(folder: Path) -> list[RunFolder]:
    """Return the runs of a hub by id."""
    return [RunFolder(each.parent) for each in sorted((folder / FOLDER).glob("*/run.json"))]


def _read(kind: type[Kept], path: Path) -> Kept:
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise PassError(f"{path.name} of the run cannot be read ({type(error).__name__})") from None
