"""The names under which tables and JSON keep what was said, by whom, and when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from forge_hub.passes.pieces import Piece
from forge_hub.passes.readers.text import clean

TEXT = (
    *("text", "utterance", "content", "message", "transcript", "said", "sentence", "line", "body", "statement"),
    *("dialogue", "speech", "value", "turn"),
)
SPEAKER = ("speaker", "role", "who", "name", "from", "author", "participant", "voice", "speaker_label", "sender")
QUESTION = ("question", "q", "prompt", "questiontext")
ANSWER = ("answer", "a", "response", "answertext", "reply")
SESSION = ("session", "session_id", "sessionid")
SECONDS = ("start", "start_time", "seconds", "offset", "time", "timestamp", "begin", "starttime")


def known(name: str) -> str:
    """Return a name as it is compared: small letters, no spaces around."""
    return clean(name).casefold().replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Fields:
    """Which name stands for what; None where there is none of it."""

    text: str | None
    speaker: str | None
    question: str | None
    answer: str | None
    seconds: str | None
    session: str | None

    @classmethod
    def among(cls, names: Iterable[str]) -> "Fields | None":
        """Return what stands for what among names as `known` gives them; None where nothing holds what was said."""
        given = set(names)

        def first(wanted: tuple[str, ...]) -> str | None:
            return next((name for name in wanted if name in given), None)

        found = cls(first(TEXT), first(SPEAKER), first(QUESTION), first(ANSWER), first(SECONDS), first(SESSION))
        return found if found.text or found.question or found.answer else None

    def pieces(self, values: Mapping[str, str], line: int) -> list[Piece]:
        """Return the pieces of one entry: what was said, or a question and its answer."""
        seconds = as_seconds(values.get(self.seconds or "", ""))
        if self.question or self.answer:
            answer = values.get(self.answer or "", "") or values.get(self.text or "", "")
            pair: tuple[tuple[str, str], ...] = (("question", values.get(self.question or "", "")), ("answer", answer))
        else:
            pair = ((clean(values.get(self.speaker or "", "")), values.get(self.text or "", "")),)
        said = [(label, clean(text)) for label, text in pair]
        return [Piece(line, text, label or None, seconds, joins=False) for label, text in said if text]


def as_seconds(value: str) -> float | None:
    """Return ``12.5`` or ``01:02:03.5`` in seconds; None where it is neither or no time of a session."""
    parts = value.strip().replace(",", ".").split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    if len(numbers) > 3 or any(not 0 <= number < 1e6 for number in numbers):  # noqa: PLR2004 (hours, minutes, seconds)
        return None
    total = 0.0
    for number in numbers:
        total = total * 60 + number
    return total
