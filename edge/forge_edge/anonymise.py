"""Lines of text without what identifies people, as the anonymiser would pass them on: one line out for each line in."""

import json
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from forge_edge.errors import TextUndecodableError
from forge_language.redaction import Redacted, Surrogates, redact


def anonymise(
    lines: BinaryIO | Iterable[bytes], known_names: frozenset[str], *, surrogates: bool = False
) -> Iterator[Redacted]:
    """Yield what is left of each line before the next one is read.

    Args:
        lines: Lines in UTF-8, each with or without its line feed.
        known_names: Names that are always redacted.
        surrogates: Whether names, places and organisations get invented words, the same ones in all lines.

    Raises:
        TextUndecodableError: A line is not UTF-8.
    """
    invented = Surrogates() if surrogates else None
    for number, line in enumerate(lines, start=1):
        try:
            text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError:
            raise TextUndecodableError(
                f"line {number} is not UTF-8: give text in UTF-8, one utterance a line"
            ) from None
        yield redact(text, known_names, invented)


def as_json(redacted: Redacted) -> str:
    """Return a line as JSON: the text that is left, and the spans that were taken out of the original line.

    ``start`` and ``end`` count code points of the line that came in, ``end`` exclusive.
    """
    spans = [{"start": span.start, "end": span.end, "kind": span.kind} for span in redacted.spans]
    return json.dumps({"text": redacted.text, "spans": spans})
