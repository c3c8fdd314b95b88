"""The uniform row of pass A, and how turns become rows: redacted, split where they are long, in chunks. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from forge_hub.passes.speakers import Turn
from forge_language.redaction import Redacted
from forge_shared.events import MOST_ITEMS, Code, Identifier, Pseudonym, Speaker, SpokenText
from forge_shared.model import Frozen

CHUNK_SIZE = 50
"""QA pairs in a chunk: the unit of work that a kill undoes at most. Source: the founding design's CHUNK_SIZE."""
MOST_ROWS = 4 * CHUNK_SIZE
"""Rows in a chunk, where the clinician speaks far more often than the person. Ours."""
LONGEST = 2000
"""Characters of a row, as many as `SpokenText` holds."""

Redact = Callable[[str], Redacted]

_SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)]*\s")


class QaRow(Frozen):
    """One utterance of a transcript, redacted, in the order in which it was said.

    Attributes:
        ordinal: Its place in the session, from 1 without gaps.
        question: What was asked last before it, of what the person says; the clinician's rows have none.
        redactions: How many spans of each kind were taken out of the text.
        line: Where it begins in the file: a line, or the number of an entry.
        part: Which part of a turn that was split, from 1.
        seconds: From the beginning of the session, where the file says so.
    """

    version: Literal[1] = 1
    person: Pseudonym
    session: Identifier
    ordinal: Annotated[int, Field(ge=1)]
    speaker: Speaker
    question: SpokenText | None = None
    text: SpokenText
    redactions: Annotated[Mapping[Code, Annotated[int, Field(ge=1, le=2000)]], Field(max_length=MOST_ITEMS)]
    line: Annotated[int, Field(ge=1)]
    part: Annotated[int, Field(ge=1)] = 1
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class Chunk(Frozen):
    """Up to 50 QA pairs, each row with its question, so that a chunk says all that is needed to work on it.

    Attributes:
        number: From 1.
        first_turn: Place of its first turn in the transcript, from 0.
        next_turn: Place after its last turn.
        asked: The question that stands at its end, for the chunk after it.
        rows: Its rows, in order.
    """

    number: Annotated[int, Field(ge=1)]
    first_turn: Annotated[int, Field(ge=0)]
    next_turn: Annotated[int, Field(ge=1)]
    asked: SpokenText | None
    rows: Annotated[tuple[QaRow, ...], Field(min_length=1)]


@dataclass(slots=True)
class Rows:
    """Makes chunks out of turns, from the beginning or from where a chunk ended.

    Args:
        person: Pseudonym.
        session: Id of the session.
        redact: Takes out what identifies.
    """

    person: str
    session: str
    redact: Redact

    def chunks(self, turns: Sequence[Turn], last: Chunk | None = None) -> Iterator[Chunk]:
        """Yield the chunks after ``last``; None: all. The same turns always give the same chunks."""
        turn = last.next_turn if last else 0
        ordinal = last.rows[-1].ordinal if last else 0
        number = last.number if last else 0
        asked = last.asked if last else None
        while turn < len(turns):
            first, number, rows, pairs = turn, number + 1, list[QaRow](), 0
            while turn < len(turns) and pairs < CHUNK_SIZE and len(rows) < MOST_ROWS:
                made = self._rows(turns[turn], ordinal, asked)
                ordinal += len(made)
                rows += made
                if turns[turn].speaker == "clinician":
                    asked = made[-1].text
                else:
                    pairs += 1
                turn += 1
            yield Chunk(number=number, first_turn=first, next_turn=turn, asked=asked, rows=tuple(rows))

    def _rows(self, turn: Turn, ordinal: int, asked: str | None) -> list[QaRow]:
        return [
            QaRow(
                person=self.person,
                session=self.session,
                ordinal=ordinal + part,
                speaker=turn.speaker,
                question=None if turn.speaker == "clinician" else asked,
                text=redacted.text,
                redactions=redacted.counts,
                line=turn.line,
                part=part,
                seconds=turn.seconds,
            )
            for part, redacted in enumerate(self._redacted(turn.text), start=1)
        ]

    def _redacted(self, text: str) -> Iterator[Redacted]:
        """Yield the parts of a text, redacted: what is taken out is longer than its kind, or shorter."""
        for part in parts_of(text):
            redacted = self.redact(part)
            if len(redacted.text) <= LONGEST:
                yield redacted
            else:
                yield from self._halves(part)

    def _halves(self, text: str) -> Iterator[Redacted]:
        for part in parts_of(text, max(1, len(text) // 2)):
            redacted = self.redact(part)
            if len(redacted.text) <= LONGEST:
                yield redacted
            else:
                yield from self._halves(part)


def parts_of(text: str, longest: int = LONGEST) -> list[str]:
    """Return a text in parts of at most ``longest`` characters, cut after a sentence, else a word, else anywhere.

    Nothing but the spaces at the cuts is left out.
    """
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > longest:
        window = rest[: longest + 1]
        ends = [found.end() - 1 for found in _SENTENCE_END.finditer(window)]
        # A sentence that ends early would leave a stub: then a word's end will do.
        cut = next((end for end in reversed(ends) if end * 2 >= longest), None) or window.rfind(" ")
        cut = cut if cut > 0 else longest
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts
