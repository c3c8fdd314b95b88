"""The taggers of this hub, one a framework, and all of them together."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Final

from forge_hub.mind.fine_tuned import of_this_machine
from forge_hub.mind.inference import Inference, Tagger
from forge_hub.mind.taggers.affect import AffectTagger
from forge_hub.mind.taggers.distortions import DistortionTagger
from forge_hub.mind.taggers.emotions import EmotionTagger
from forge_hub.mind.taggers.hinters import ALL
from forge_language.taxonomy import DISTORTIONS

__all__ = ["MOST_SURE", "Taggers", "installed"]

MOST_SURE: Final = 0.95
"""No inference from one utterance is surer than this. Ours: a calibrated curve ends at certainty where its data end,
and people who rate such utterances do not agree with each other more often."""


_AT_ONCE: Final = 256
"""Texts that are read together: enough of each length for the encoder's speed, and the states of their pieces are kept
meanwhile, 100 KB a text."""


class Taggers:
    """Reads utterances in every framework that there is a tagger for."""

    def __init__(self, taggers: Sequence[Tagger]) -> None:
        self._taggers = tuple(taggers)

    @property
    def signature(self) -> str:
        """Every tagger's method and version."""
        return ";".join(f"{tagger.framework}={tagger.signature}" for tagger in self._taggers)

    def infer(self, texts: Sequence[str]) -> list[tuple[Inference, ...]]:
        """Return what all taggers say of each text, nothing of it surer than `MOST_SURE`."""
        found: list[tuple[Inference, ...]] = []
        for start in range(0, len(texts), _AT_ONCE):
            some = texts[start : start + _AT_ONCE]
            said = [tagger.infer(some) for tagger in self._taggers]
            found.extend(tuple(map(_modest, chain(*of_one))) for of_one in zip(*said, strict=True))
        return found


def _modest(inference: Inference) -> Inference:
    return inference if inference.confidence <= MOST_SURE else replace(inference, confidence=MOST_SURE)


@lru_cache(maxsize=1)
def installed() -> Taggers:
    """Return the taggers that come with the hub, with the fine-tuned encoders of this machine."""
    better = of_this_machine()
    of_ours = (
        DistortionTagger(DISTORTIONS, better.get("distortions")),
        EmotionTagger(better.get("emotions")),
        AffectTagger(better.get("affect")),
    )
    return Taggers([*of_ours, *(tagger() for tagger in ALL)])
