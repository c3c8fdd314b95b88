"""Pass A: a transcript becomes uniform rows, redacted, in chunks on disk. It knows neither log, tables nor graph."""

from collections.abc import Sequence
from dataclasses import dataclass

from forge_hub.passes.english import is_english
from forge_hub.passes.errors import TranscriptRefusedError
from forge_hub.passes.readers import Format, read
from forge_hub.passes.rows import Redact, Rows
from forge_hub.passes.runs import RunFolder
from forge_hub.passes.speakers import Turn, turns_of
from forge_hub.passes.steps import Step


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript that has been read.

    Attributes:
        turns: At least one.
        names: Words of the names that its labels hold, small; they are redacted wherever they stand.
    """

    turns: Sequence[Turn]
    names: frozenset[str]


def read_transcript(content: bytes, kind: Format, encoding: str | None = None) -> Transcript:
    """Read a file as a transcript.

    Raises:
        TranscriptRefusedError: It is none that can be taken in.
    """
    turns, names = turns_of(read(content, kind, encoding))
    if not turns:
        raise TranscriptRefusedError("no-turns")
    if not is_english(turn.text for turn in turns):
        raise TranscriptRefusedError("language")
    return Transcript(turns, names)


@dataclass(frozen=True, slots=True)
class PassA:
    """Cleans a transcript. Its tools: the folder of its run, and the redactor.

    A repeat goes on after the last chunk that is on disk, and writes the same bytes as if nothing had happened.
    """

    folder: RunFolder
    redact: Redact
    step: Step

    def run(self, transcript: Transcript) -> int:
        """Write the chunks that are missing; return how many there are.

        Raises:
            RunStoppedError: It was stopped.
            PassError: The folder cannot be read or written.
        """
        run = self.folder.run
        written = self.folder.chunks()
        last = self.folder.chunk(written) if written else None
        chunks = Rows(run.person, run.session, self.redact).chunks(transcript.turns, last)
        while True:
            self.step("a", written + 1, 0)
            chunk = next(chunks, None)
            if chunk is None:
                break
            self.folder.write_chunk(chunk)
            written = chunk.number
            self.folder.note("a", written)
        self.folder.note("a", written, done=True)
        return written
