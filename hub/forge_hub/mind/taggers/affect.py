"""Where on the circumplex of affect an utterance lies."""

from collections.abc import Sequence
from typing import Final

from forge_hub.mind.fine_tuned import FineTuned
from forge_hub.mind.inference import Framework, Inference
from forge_hub.mind.taggers.placeholders import without_placeholders
from forge_language.affect import Affect, AffectHead, affect_head
from forge_language.sentiment import valence_arousal
from forge_language.taxonomy import quadrant_of


class AffectTagger:
    """Valence and arousal of every utterance. Implements `forge_hub.mind.inference.Tagger`.

    By the trained head, or by the mean of it and a fine-tuned encoder where the hub has one. By the VADER lexicon where
    the head's encoder is not installed, and then a text without a word that carries feeling gets the confidence 0: it
    is unknown, not neutral.
    """

    framework: Final[Framework] = "affect"

    def __init__(self, fine_tuned: FineTuned | None = None) -> None:
        self._fine_tuned = fine_tuned

    @property
    def signature(self) -> str:
        """Which of them, with its version."""
        head = affect_head()
        return "vader-3.3.2" if head is None else f"head-{self._version(head[0])}"

    def infer(self, texts: Sequence[str]) -> list[tuple[Inference, ...]]:
        """Return one inference of each text that is not empty, quoted from the lexicon's first word to its last.

        The whole text is quoted where the lexicon knows none of it.
        """
        plain = [without_placeholders(text) for text in texts]
        head = affect_head()
        if head is None:
            return [self._of(text, _by_lexicon(text), "vader", "3.3.2") for text in plain]
        beside = self._fine_tuned.read(plain) if self._fine_tuned else None
        readings = head[0].read(plain, head[1].read(texts), beside)
        version = self._version(head[0])
        return [self._of(text, one, "head", version) for text, one in zip(plain, readings, strict=True)]

    def _version(self, head: AffectHead) -> str:
        return f"{head.version}+{self._fine_tuned.version}" if self._fine_tuned else head.version

    def _of(self, text: str, reading: Affect, method: str, version: str) -> tuple[Inference, ...]:
        if not text.strip():
            return ()
        return (
            Inference(
                framework=self.framework,
                label=quadrant_of(reading.valence, reading.arousal),
                start=reading.start,
                end=reading.end,
                confidence=reading.confidence,
                method=method,
                version=version,
                valence=reading.valence,
                arousal=reading.arousal,
            ),
        )


def _by_lexicon(text: str) -> Affect:
    reading = valence_arousal(text)
    start = min((start for start, _ in reading.spans), default=0)
    end = max((end for _, end in reading.spans), default=0)
    return Affect(reading.valence, reading.arousal, reading.confidence, start, end)
