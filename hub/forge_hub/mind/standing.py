"""What stands of the inferences about an utterance: a clinician's word goes before the method's."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

from forge_hub.mind.inference import Framework
from forge_language.taxonomy import LABELS

CLINICIAN: Final = "clinician"
"""Speaker whose words say nothing about the person. What rooms record has the speaker "unknown" and is the person's."""

ASSERTED: Final[Mapping[str, float]] = MappingProxyType({"distortion": 0.25})
"""From which confidence on a hypothesis counts in figures, by framework; elsewhere from anything above 0.

Ours: a tagger abstains by saying nothing. Distortions are filed with the next likely labels, too, and those do not
count; 0.25 is the least that the cited patterns give, which is what "always" and "never" are worth alone.
"""


class Said(Protocol):
    """An utterance as figures need it, such as a row of `forge_hub.records.schema.Utterance`."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def session(self) -> str:
        """The session it was said in."""

    @property
    def subject(self) -> str:
        """Whose record it is in."""

    @property
    def at(self) -> datetime:
        """When it was said."""

    @property
    def speaker(self) -> str | None:
        """``patient``, ``clinician`` or ``unknown``."""


Words = TypeVar("Words", bound=Said)


class Hypothesis(Protocol):
    """An inference on file, such as a row of `forge_hub.records.schema.Inference`."""

    @property
    def utterance(self) -> str:
        """Id of the utterance."""

    @property
    def framework(self) -> str:
        """Of which vocabulary the label is."""

    @property
    def label(self) -> str:
        """What the method said."""

    @property
    def start(self) -> int:
        """Place of the quote's first code point."""

    @property
    def end(self) -> int:
        """Place after the quote's last code point."""

    @property
    def confidence(self) -> float:
        """0 to 1."""

    @property
    def method(self) -> str:
        """What said it."""

    @property
    def valence(self) -> float | None:
        """-1 to 1, in the framework "affect"."""

    @property
    def arousal(self) -> float | None:
        """-1 to 1, the same."""

    @property
    def verdict(self) -> str | None:
        """``right``, ``wrong`` or ``other``, once a clinician has decided."""

    @property
    def instead(self) -> str | None:
        """The label that the clinician put in its place."""


def of_person(said: Iterable[Words]) -> list[Words]:
    """Return the utterances that count as the person's, in the order in which they were said."""
    return sorted((each for each in said if each.speaker != CLINICIAN), key=lambda each: (each.at, each.id))


def standing_label(found: Hypothesis) -> str | None:
    """Return the label that stands: the clinician's own, else the method's where it is sure enough; None: none does."""
    match found.verdict:
        case "wrong":
            return None
        case "other":
            # What is no label, such as "grief" in the place of a distortion, takes the label away.
            return found.instead if found.instead in LABELS.get(found.framework, ()) else None
        case "right":
            return found.label
        case _:
            least = ASSERTED.get(found.framework, 0.0)
            return found.label if found.confidence >= least and found.confidence > 0 else None


def labels_by_utterance(inferences: Iterable[Hypothesis], framework: Framework) -> Mapping[str, frozenset[str]]:
    """Return the labels of a framework that stand, by utterance; utterances without any are left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for each in inferences:
        label = standing_label(each) if each.framework == framework else None
        if label is not None:
            found[each.utterance].add(label)
    return {utterance: frozenset(labels) for utterance, labels in found.items()}


def readings_by_utterance(inferences: Iterable[Hypothesis]) -> Mapping[str, tuple[float, float]]:
    """Return valence and arousal by utterance, each -1 to 1: the surest reading that no clinician has refused.

    A clinician who names another quadrant gives no figures, so such a reading counts in no mean.
    """
    read: dict[str, list[Hypothesis]] = defaultdict(list)
    for each in inferences:
        if each.framework == "affect" and each.verdict in {None, "right"}:
            read[each.utterance].append(each)
    return {utterance: reading for utterance, rows in read.items() if (reading := _surest(rows)) is not None}


def _surest(rows: Sequence[Hypothesis]) -> tuple[float, float] | None:
    for row in sorted(rows, key=lambda each: (each.verdict != "right", -each.confidence, each.method)):
        if row.valence is not None and row.arousal is not None:
            return row.valence, row.arousal
    return None
