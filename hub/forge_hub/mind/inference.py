"""What a tagger says of an utterance: a hypothesis with the words it rests on, never a diagnosis."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

Framework = Literal[
    "distortion",
    "emotion",
    "affect",
    "stage",
    "attachment",
    "trait",
    "schema",
    "defence",
    "transference",
    "note",
]
"""The ways of looking at what was said. Labels of each are closed: `forge_language.taxonomy`.

"affect" is a place on the circumplex, its label the quadrant; "note" a tag such as an allergy or a care request.
"""

FRAMEWORKS: Final[tuple[Framework, ...]] = get_args(Framework)


@dataclass(frozen=True, slots=True)
class Inference:
    """One label that one method gives to a stretch of an utterance.

    Attributes:
        framework: Of which vocabulary the label is.
        label: Its id there.
        start: Place of the quote's first code point in the text.
        end: Place after the quote's last code point; equal to ``start`` where nothing can be quoted.
        confidence: 0 to 1; 0 says that the evidence is insufficient.
        method: What inferred it: "patterns", "head", "head+patterns", "lexicon" and the like.
        version: Which version of that.
        valence: -1 to 1, in the framework "affect" only.
        arousal: -1 to 1, the same.
    """

    framework: Framework
    label: str
    start: int
    end: int
    confidence: float
    method: str
    version: str
    valence: float | None = None
    arousal: float | None = None


class Tagger(Protocol):
    """Reads utterances in one framework. Pure: the same texts always give the same inferences; any thread may call it.

    It is given pseudonymised text as it is kept, placeholders such as ``[NAME]`` included, and quotes places of it.
    """

    @property
    def framework(self) -> Framework:
        """What it reads for."""

    @property
    def signature(self) -> str:
        """Method and version: another one reads what was said anew."""

    def infer(self, texts: Sequence[str]) -> list[tuple[Inference, ...]]:
        """Return the inferences of each text, best first; none where there is nothing to say."""


def inference_id(utterance: str, inference: Inference) -> str:
    """Return the id of an inference about an utterance: the same whenever the same is inferred from the same place.

    Version and confidence are left out, so that a clinician's word outlives a better version of the method.
    """
    parts = (utterance, inference.framework, inference.label, inference.start, inference.end, inference.method)
    return hashlib.sha256("\x00".join(map(str, parts)).encode()).hexdigest()[:32]
