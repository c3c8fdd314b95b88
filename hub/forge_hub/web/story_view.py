"""A person's story as the page shows it: figures by session, and what is said of the person with how little. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any

from forge_hub.mind import intervals
from forge_hub.mind.arc import Turn, turning_points
from forge_hub.mind.evidence import ToReview
from forge_hub.mind.figures import HINTS, LabelCount, MethodCount
from forge_hub.mind.inference import FRAMEWORKS, Framework
from forge_hub.mind.intervals import Estimate
from forge_hub.mind.person import Profile, Score
from forge_hub.mind.summaries import Correlation, PatternSummary
from forge_hub.web.charts import Told
from forge_hub.web.mind_wording import Method, framework_words, meaning, weakness, words_of
from forge_language.taxonomy import BIG_FIVE, INSUFFICIENT_EVIDENCE, LEAST_QUOTED

MOST_TOGETHER = 8
"""Correlations that are shown. Ours: of so many that could be made, only the strongest are worth a look."""

HEAT_STEPS = 5
"""Shades of the tables of counts. Ours: more cannot be told apart."""

_AXES = {"valence": "Pleasant mood (valence)", "arousal": "Stirred mood (arousal)"}


@dataclass(frozen=True, slots=True)
class Cell:
    """In how many utterances of one session a label stands; ``heat`` is 0 (none) to 5 (the table's most)."""

    told: Told
    count: int
    share: float | None
    heat: int


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label over the sessions. High, median and low are shares of a session's utterances, in [0, 1]."""

    framework: str
    label: str
    words: str
    meaning: str
    total: int
    approved: int
    cells: Sequence[Cell]
    high: float
    middle: float
    low: float
    highest: Told | None


@dataclass(frozen=True, slots=True)
class Axis:
    """Where hints put somebody between two ends, 0 to 1, with the interval; ``n`` hints."""

    words: str
    low_end: str
    high_end: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What is said of the person in one framework, or that there is too little.

    Attributes:
        quoted: Utterances that any label of it stands in.
        told: What it amounts to, in words; empty where there is nothing to add to the labels.
        axes: Between which ends.
        labels: Label, its words, what it means, utterances, and how many of them a clinician has approved.
    """

    framework: Framework
    words: str
    quoted: int
    is_enough: bool
    told: str
    axes: Sequence[Axis]
    labels: Sequence[tuple[str, str, str, int, int]]
    weakness: str


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A note with the words that it rests on; said again in the same words it is one, the newest, with how often."""

    id: str
    utterance: str
    kind: str
    words: str
    quote: str
    at: datetime
    confidence: float
    is_approved: bool
    times: int = 1


@dataclass(frozen=True, slots=True)
class Together:
    """A thinking pattern and what goes with it: Pearson's r, -1 to 1, with its interval, over ``n`` utterances."""

    distortion: str
    words: str
    framework: Framework
    other: str
    other_words: str
    weight: float
    low: float
    high: float
    n: int

    @property
    def is_always(self) -> bool:
        """Whether the two were never apart, of which Fisher's z gives an interval without any width."""
        return abs(self.weight) >= 1


def together_of(found: Sequence[Correlation]) -> list[Together]:
    """Return the strongest correlations whose interval leaves out none at all."""
    told = [each for each in found if each.low > 0 or each.high < 0]
    told.sort(key=lambda each: (-abs(each.weight), each.distortion, each.other))
    return [
        Together(
            distortion=each.distortion,
            words=words_of(each.distortion),
            framework="affect" if each.other in _AXES else "emotion",
            other=each.other,
            other_words=_AXES.get(each.other, words_of(each.other)),
            weight=each.weight,
            low=each.low,
            high=each.high,
            n=each.n,
        )
        for each in told[:MOST_TOGETHER]
    ]


def label_rows(counts: Sequence[LabelCount], told: Sequence[Told], framework: str) -> list[LabelRow]:
    """Return the labels of a framework over some sessions, the most frequent first."""
    found: dict[str, dict[str, LabelCount]] = defaultdict(dict)
    for each in counts:
        if each.framework == framework:
            found[each.label][each.session] = each
    most = max((each.utterances for of in found.values() for each in of.values()), default=0)
    rows = [_row(framework, label, of, told, most) for label, of in found.items()]
    return sorted(rows, key=lambda row: (-row.total, row.words))


def hypotheses(counts: Sequence[LabelCount], profile: Profile) -> list[Hypothesis]:
    """Return what is said of the person, framework by framework; also where that is nothing."""
    return [
        _hypothesis(framework, [each for each in counts if each.framework == framework], profile) for framework in HINTS
    ]


def methods_of(counts: Sequence[MethodCount]) -> list[Method]:
    """Return the methods in the order of the frameworks."""
    order = {framework: place for place, framework in enumerate(FRAMEWORKS)}
    return sorted(
        (
            Method(
                each.framework,
                framework_words(each.framework, many=True),
                f"{each.method} {each.version}",
                each.inferences,
                weakness(each.framework, each.method),
            )
            for each in counts
        ),
        key=lambda method: (order.get(method.framework, len(order)), method.name),  # type: ignore[call-overload]
    )


def note_lines(notes: Sequence[ToReview]) -> list[NoteLine]:
    """Return notes, allergies before all others, then the newest first."""
    lines = [
        NoteLine(
            id=each.inference.id,
            utterance=each.utterance.id,
            kind=label,
            words=words_of(label),
            quote=each.utterance.text[each.inference.start : each.inference.end] or each.utterance.text,
            at=each.utterance.at,
            confidence=each.inference.confidence,
            is_approved=each.inference.verdict in {"right", "other"},
        )
        for each in notes
        for label in [(each.inference.instead if each.inference.verdict == "other" else None) or each.inference.label]
    ]
    first: dict[tuple[str, str], NoteLine] = {}
    for line in lines:
        known = first.setdefault((line.kind, line.quote), line)
        if known is not line:
            approved = known.is_approved or line.is_approved
            first[line.kind, line.quote] = replace(known, times=known.times + 1, is_approved=approved)
    return sorted(first.values(), key=lambda line: line.kind != "allergy")


def turns_of(told: Sequence[Told], subject: str) -> dict[str, Turn]:
    """Return the sessions with which a person's mood turned, and which way; `forge_hub.mind.arc` has the rule."""
    summaries = [
        PatternSummary(
            subject=subject,
            session=each.session.id,
            since=each.session.started_at,
            until=each.session.ended_at or each.session.started_at,
            utterances=each.session.utterances,
            avg_valence=each.valence.value if each.valence else None,
            avg_arousal=each.arousal.value if each.arousal else None,
            dominant_emotion=None,
            rates={},
            counts={},
            readings=each.readings,
        )
        for each in told
        if not each.is_few
    ]
    return {each.after: each.turn for each in turning_points(summaries)}


def circumplex_of(told: Sequence[Told]) -> list[dict[str, Any]]:
    """Return the sessions' means on the circumplex with their intervals, as the drawing takes them."""
    return [
        {
            "session": each.session.id,
            "number": number,
            "at": each.session.started_at.isoformat(),
            "n": each.readings,
            "few": each.is_few,
            "valence": _as_list(each.valence),
            "arousal": _as_list(each.arousal),
        }
        for number, each in enumerate(told, start=1)
        if each.valence is not None and each.arousal is not None
    ]


def _as_list(estimate: Estimate) -> list[float]:
    return [round(value, 4) for value in (estimate.value, estimate.low, estimate.high)]


def _row(framework: str, label: str, of: dict[str, LabelCount], told: Sequence[Told], most: int) -> LabelRow:
    cells = []
    for each in told:
        count = of[each.session.id].utterances if each.session.id in of else 0
        share = intervals.share(count, each.session.read)
        heat = -(-count * HEAT_STEPS // most) if most else 0
        cells.append(Cell(each, count, share.value if share else None, heat))
    shares = [cell.share for cell in cells if cell.share is not None]
    highest = max((cell for cell in cells if cell.share is not None), key=lambda cell: cell.share or 0, default=None)
    return LabelRow(
        framework=framework,
        label=label,
        words=words_of(label),
        meaning=meaning(framework, label),
        total=sum(each.utterances for each in of.values()),
        approved=sum(each.approved for each in of.values()),
        cells=cells,
        high=max(shares, default=0.0),
        middle=median(shares) if shares else 0.0,
        low=min(shares, default=0.0),
        highest=highest.told if highest else None,
    )


def _hypothesis(framework: Framework, counts: Sequence[LabelCount], profile: Profile) -> Hypothesis:
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for each in counts:
        totals[each.label][0] += each.utterances
        totals[each.label][1] += each.approved
    quoted = sum(count for count, _ in totals.values())
    labels = sorted(
        ((label, words_of(label), meaning(framework, label), n, ok) for label, (n, ok) in totals.items()),
        key=lambda label: (-label[3], label[1]),
    )
    is_enough, told, axes = _amounts_to(framework, profile, quoted)
    words = framework_words(framework, many=True)
    return Hypothesis(framework, words, quoted, is_enough, told, axes, labels, weakness(framework, ""))


def _amounts_to(framework: Framework, profile: Profile, quoted: int) -> tuple[bool, str, list[Axis]]:
    enough = quoted >= LEAST_QUOTED
    match framework:
        case "attachment":
            found = profile.attachment
            axes = [_axis(words_of(name), "low", "high", getattr(found, name)) for name in ("anxiety", "avoidance")]
            is_named = found.name != INSUFFICIENT_EVIDENCE
            return is_named, words_of(found.name) if is_named else "", axes
        case "trait":
            traits = [(BIG_FIVE[trait], score) for trait, score in profile.traits.items() if trait in BIG_FIVE]
            axes = [_axis(words_of(trait.id), trait.low, trait.high, score) for trait, score in traits]
            return enough and bool(axes), "", [axis for axis in axes if axis.n]
        case "stage":
            stage = profile.stage
            is_named = stage.stage != INSUFFICIENT_EVIDENCE
            told = f"{words_of(stage.stage)}{', set by a clinician' if stage.by_clinician else ''}" if is_named else ""
            return is_named, told, []
        case "defence":
            overall = profile.defences.overall
            return overall is not None, "" if overall is None else f"Mean level {overall:.1f} of 7 (7: mature)", []
        case _:
            return enough, "", []


def _axis(words: str, low_end: str, high_end: str, score: Score) -> Axis:
    n = len(score.high_evidence) + len(score.low_evidence)
    return Axis(words, low_end, high_end, score.value, score.low, score.high, n)
