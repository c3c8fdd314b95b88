"""Two stretches of a person's story side by side: what differs, how much, and what cannot be told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from forge_hub.mind import intervals
from forge_hub.mind.figures import LabelCount, Reading
from forge_hub.mind.intervals import LEAST, Estimate, Sums
from forge_hub.web.mind_wording import framework_words, words_of

LINES: Final = 12
"""Labels of a framework that are compared, the most frequent ones. Ours: more lines, more differences by chance."""


@dataclass(frozen=True, slots=True)
class Side:
    """What was said in one stretch."""

    utterances: int
    readings: Sequence[Reading]
    labels: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, utterances: int, readings: Sequence[Reading], counts: Sequence[LabelCount]) -> "Side":
        """Add up the counts of the sessions."""
        labels: dict[tuple[str, str], int] = {}
        for each in counts:
            key = (each.framework, each.label)
            labels[key] = labels.get(key, 0) + each.utterances
        return cls(utterances, readings, labels)


@dataclass(frozen=True, slots=True)
class Line:
    """One measure on both sides and its difference, second minus first.

    ``difference`` is absent where one side rests on fewer than ten utterances.
    """

    kind: str
    framework: str
    label: str
    words: str
    is_share: bool
    first: Estimate | None
    second: Estimate | None
    difference: Estimate | None

    @property
    def finding(self) -> str:
        """What may be said of it."""
        if self.difference is None:
            return f"too few to compare (fewer than {LEAST} utterances on a side)"
        if not self.difference.is_told:
            return "no difference can be told"
        return "higher in the second" if self.difference.value > 0 else "lower in the second"


def compare(first: Side, second: Side) -> list[Line]:
    """Return the lines: mood first, then thinking patterns and emotions, the most frequent ones first."""
    lines = [_axis(first, second, "valence"), _axis(first, second, "arousal")]
    for framework in ("distortion", "emotion"):
        totals = {
            label: first.labels.get((of, label), 0) + second.labels.get((of, label), 0)
            for of, label in {*first.labels, *second.labels}
            if of == framework
        }
        newest = sorted(totals, key=lambda label: (-totals[label], label))[:LINES]
        lines += [_label(first, second, framework, label) for label in newest]
    return lines


def overlap(first: Side, second: Side) -> int:
    """Return how many utterances with a reading lie in both stretches."""
    return len({each.utterance for each in first.readings} & {each.utterance for each in second.readings})


def _axis(first: Side, second: Side, axis: str) -> Line:
    sums = [Sums.of([getattr(each, axis) for each in side.readings]) for side in (first, second)]
    words = {"valence": "Valence (pleasant or unpleasant)", "arousal": "Arousal (stirred or calm)"}[axis]
    return Line(
        kind=framework_words("affect"),
        framework="affect",
        label="",
        words=words,
        is_share=False,
        first=intervals.mean(sums[0]),
        second=intervals.mean(sums[1]),
        difference=intervals.mean_difference(*sums),
    )


def _label(first: Side, second: Side, framework: str, label: str) -> Line:
    counts = [(side.labels.get((framework, label), 0), side.utterances) for side in (first, second)]
    return Line(
        kind=framework_words(framework),
        framework=framework,
        label=label,
        words=words_of(label),
        is_share=True,
        first=intervals.share(*counts[0]),
        second=intervals.share(*counts[1]),
        difference=intervals.share_difference(*counts),
    )
