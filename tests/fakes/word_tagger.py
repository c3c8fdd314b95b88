"""Taggers that a test understands at a glance: one word, one label."""

import re
from collections.abc import Mapping, Sequence

from forge_hub.mind.inference import FRAMEWORKS, Framework, Inference
from forge_hub.mind.taggers import Taggers

WORDS: Mapping[str, tuple[Framework, str]] = {
    "failure": ("distortion", "labelling"),
    "always": ("distortion", "overgeneralisation"),
    "sad": ("emotion", "sadness"),
    "happy": ("emotion", "joy"),
    "awful": ("affect", "unpleasant_activated"),
    "calm": ("affect", "pleasant_deactivated"),
    "children": ("stage", "generativity_vs_stagnation"),
    "clingy": ("attachment", "anxiety_high"),
    "distant": ("attachment", "avoidance_low"),
    "parties": ("trait", "sociability_high"),
    "worthless": ("schema", "defectiveness_shame"),
    "whatever": ("defence", "denial"),
    "doctor": ("transference", "dependent"),
    "peanuts": ("note", "allergy"),
}

FIGURES: Mapping[str, tuple[float, float]] = {"awful": (-0.8, 0.6), "calm": (0.5, -0.5)}


class WordTagger:
    """Finds the words of one framework. Implements `forge_hub.mind.inference.Tagger`."""

    def __init__(self, framework: Framework, words: Mapping[str, tuple[Framework, str]] = WORDS) -> None:
        self.framework = framework
        self.signature = "words-1"
        self._words = {word: label for word, (owner, label) in words.items() if owner == framework}

    def infer(self, texts: Sequence[str]) -> list[tuple[Inference, ...]]:
        return [tuple(self._found(text)) for text in texts]

    def _found(self, text: str) -> list[Inference]:
        found = []
        for match in re.finditer(r"\w+", text):
            word = match[0].lower()
            if word in self._words:
                place = match.span()
                figures = FIGURES.get(word, (None, None))
                found.append(Inference(self.framework, self._words[word], *place, 0.8, "words", "1", *figures))
        return found


def word_taggers(words: Mapping[str, tuple[Framework, str]] = WORDS) -> Taggers:
    return Taggers([WordTagger(framework, words) for framework in FRAMEWORKS])
