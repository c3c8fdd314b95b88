"""Which emotions an utterance shows to its readers."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from forge_hub.mind.fine_tuned import FineTuned
from forge_hub.mind.inference import Framework, Inference
from forge_hub.mind.taggers.placeholders import without_placeholders
from forge_language.emotions import EmotionHead, Felt, emotion_head
from forge_language.heads.reader import Reader


class EmotionTagger:
    """The labels of GoEmotions, several or none, by a trained head. Implements `forge_hub.mind.inference.Tagger`.

    A fine-tuned encoder says which, where the hub has one; the head then finds the words that speak for them. It says
    nothing where the head's encoder is not installed.
    """

    framework: Final[Framework] = "emotion"

    def __init__(self, fine_tuned: FineTuned | None = None) -> None:
        self._fine_tuned = fine_tuned

    @property
    def signature(self) -> str:
        """Which head, with its version."""
        head = emotion_head()
        return "none" if head is None else f"head-{self._version(head[0])}"

    def infer(self, texts: Sequence[str]) -> list[tuple[Inference, ...]]:
        """Return the emotions asserted of each text, the surest first, quoted at the word that speaks most for each."""
        head = emotion_head()
        if head is None:
            return [() for _ in texts]
        plain, version = [without_placeholders(text) for text in texts], self._version(head[0])
        said = self._said(plain, head[0], head[1])
        return [
            tuple(
                Inference(self.framework, felt.label, felt.start, felt.end, felt.confidence, "head", version)
                for felt in found
            )
            for found in said
        ]

    def _said(self, plain: Sequence[str], head: EmotionHead, on: Reader) -> list[tuple[Felt, ...]]:
        better = self._fine_tuned
        if better is None or better.manifest.calibration is None:
            encoded = on.read(plain)
            return head.felt(plain, head.scores(encoded) >= head.thresholds, head.confidences(encoded))
        scores, limits = better.read(plain), better.manifest.calibration
        sure = 1 / (1 + np.exp(-(scores * np.array(limits.slope) + np.array(limits.shift))))
        return head.felt(plain, scores >= np.array(limits.thresholds), sure)

    def _version(self, head: EmotionHead) -> str:
        return self._fine_tuned.version if self._fine_tuned else head.version
