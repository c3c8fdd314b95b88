"""What hints about many utterances amount to for a person: hypotheses with an interval, or insufficient evidence. Pure.

None of these frameworks has openly licensed labels for text, and none of the taggers was validated: a figure here is a
count of hints, a reason to ask, and no finding.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forge_hub.mind.inference import Framework
from forge_hub.mind.standing import Hypothesis, Said, of_person, standing_label
from forge_language.taxonomy import (
    BIG_FIVE,
    DEFENCES,
    INSUFFICIENT_EVIDENCE,
    LEAST_QUOTED,
    TRAIT_HINTS,
    attachment_name,
)

LEAST_TURNS: Final = 20
"""Fewer utterances of the person give no traits: the state of one session is no trait. Source: our taxonomies."""

_Z: Final = 1.959963984540054
"""The 97.5th percentile of the normal distribution: intervals are of 95 %."""


@dataclass(frozen=True, slots=True)
class Score:
    """Where somebody is between two ends, from utterances that hint at the one or the other.

    Attributes:
        value: 0 to 1: the middle of the interval, .5 where nothing is known.
        low: Lower end of the 95 % Wilson interval (1927) of the share of hints at the upper end.
        high: Upper end.
        high_evidence: Ids of the utterances that hint at the upper end.
        low_evidence: Of those that hint at the lower end.
    """

    value: float
    low: float
    high: float
    high_evidence: tuple[str, ...]
    low_evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attachment:
    """Attachment on two axes. ``name`` is a style or "insufficient_evidence"; ``n_evidence`` counts utterances."""

    anxiety: Score
    avoidance: Score
    n_evidence: int
    name: str


@dataclass(frozen=True, slots=True)
class LifeStage:
    """The stage whose themes a person's words reflect most.

    Attributes:
        stage: Its id, or "insufficient_evidence".
        by_clinician: Whether it rests on what a clinician has set or confirmed.
        evidence: Utterances by stage, the stage of most utterances first.
    """

    stage: str
    by_clinician: bool
    evidence: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Belief:
    """A schema, defence or theme that utterances may show; ``approved`` of them were confirmed by a clinician."""

    label: str
    evidence: tuple[str, ...]
    approved: int


@dataclass(frozen=True, slots=True)
class Defences:
    """Defences with their overall level.

    Attributes:
        found: Each defence with its utterances.
        overall: Mean level of the hints, 1 to 7, as overall defensive functioning is reckoned (Perry 1990), which
            rests on trained raters and whole sessions; None below five utterances.
        lowest: Lowest level among them.
        highest: Highest level.
        n_evidence: Utterances that show any.
    """

    found: tuple[Belief, ...]
    overall: float | None
    lowest: int | None
    highest: int | None
    n_evidence: int


@dataclass(frozen=True, slots=True)
class Note:
    """A tag to be found again, quoted from ``start`` to ``end`` of an utterance."""

    label: str
    utterance: str
    session: str
    at: datetime
    start: int
    end: int
    confidence: float
    approved: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """What hints amount to for one person.

    Attributes:
        utterances: How many utterances of the person were read.
        attachment: On two axes.
        traits: The five by id; none below twenty utterances.
        stage: The stage of life.
        schemas: By number of utterances.
        defences: With their overall level.
        transference: Themes, by number of utterances.
        notes: In the order in which they were said.
    """

    utterances: int
    attachment: Attachment
    traits: Mapping[str, Score]
    stage: LifeStage
    schemas: tuple[Belief, ...]
    defences: Defences
    transference: tuple[Belief, ...]
    notes: tuple[Note, ...]


def profile_of(utterances: Iterable[Said], inferences: Iterable[Hypothesis]) -> Profile:
    """Return the profile of one person. What a clinician called wrong is gone, what they put instead counts.

    Args:
        utterances: Of one person; the clinician's own are passed over.
        inferences: About those utterances; about others they are passed over.
    """
    said = of_person(utterances)
    order = {each.id: place for place, each in enumerate(said)}
    about = sorted(
        (each for each in inferences if each.utterance in order),
        key=lambda each: (order[each.utterance], each.start, each.end, each.label, each.method),
    )
    return Profile(
        utterances=len(said),
        attachment=_attachment(about),
        traits=_traits(about) if len(said) >= LEAST_TURNS else {},
        stage=_stage(about),
        schemas=_beliefs(about, "schema"),
        defences=_defences(about),
        transference=_beliefs(about, "transference"),
        notes=_notes({each.id: each for each in said}, about),
    )


def notes_before(notes: Iterable[Note], began: datetime) -> list[Note]:
    """Return what was noted before a session began, newest first: what its clinician must know at the start."""
    return sorted((note for note in notes if note.at < began), key=lambda note: note.at, reverse=True)


def score(high: Sequence[str], low: Sequence[str]) -> Score:
    """Return where the hints put somebody between two ends.

    Args:
        high: Ids of utterances that hint at the upper end.
        low: Of those that hint at the lower end.

    The value is the middle of Wilson's interval, which shrinks towards .5 the less there is (Agresti & Coull 1998).
    """
    n = len(high) + len(low)
    if not n:
        return Score(0.5, 0.0, 1.0, (), ())
    share, weight = len(high) / n, _Z * _Z / n
    middle = (share + weight / 2) / (1 + weight)
    reach = _Z / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    return Score(middle, max(0.0, middle - reach), min(1.0, middle + reach), tuple(high), tuple(low))


def _evidence(about: Sequence[Hypothesis], framework: Framework) -> Mapping[str, tuple[str, ...]]:
    """Return the utterances by label that stands, each once and in the order in which they were said."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for each in about:
        label = standing_label(each) if each.framework == framework else None
        if label is not None:
            found[label][each.utterance] = None
    return {label: tuple(utterances) for label, utterances in found.items()}


def _attachment(about: Sequence[Hypothesis]) -> Attachment:
    found = _evidence(about, "attachment")
    axes = {
        axis: score(found.get(f"{axis}_high", ()), found.get(f"{axis}_low", ())) for axis in ("anxiety", "avoidance")
    }
    n_evidence = len({utterance for utterances in found.values() for utterance in utterances})
    known = all(each.high_evidence or each.low_evidence for each in axes.values())
    name = attachment_name(axes["anxiety"].value, axes["avoidance"].value, n_evidence)
    return Attachment(axes["anxiety"], axes["avoidance"], n_evidence, name if known else INSUFFICIENT_EVIDENCE)


def _traits(about: Sequence[Hypothesis]) -> dict[str, Score]:
    ends: dict[tuple[str, bool], dict[str, None]] = defaultdict(dict)
    for label, utterances in _evidence(about, "trait").items():
        hint = next((each for key, each in TRAIT_HINTS.items() if key == label), None)
        if hint is not None:
            ends[hint.trait, hint.is_high].update(dict.fromkeys(utterances))
    return {trait: score(tuple(ends[trait, True]), tuple(ends[trait, False])) for trait in BIG_FIVE}


def _stage(about: Sequence[Hypothesis]) -> LifeStage:
    found = _evidence(about, "stage")
    ranked = dict(sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0])))
    decided = _evidence([each for each in about if each.verdict in {"right", "other"}], "stage")
    if decided:
        return LifeStage(_leading(decided), by_clinician=True, evidence=ranked)
    enough = len({utterance for utterances in found.values() for utterance in utterances}) >= LEAST_QUOTED
    return LifeStage(_leading(found) if enough else INSUFFICIENT_EVIDENCE, by_clinician=False, evidence=ranked)


def _leading(found: Mapping[str, Sequence[str]]) -> str:
    """Return the label of most utterances; two that are equal are not enough to tell."""
    most = max(map(len, found.values()))
    first = [label for label, utterances in found.items() if len(utterances) == most]
    return first[0] if len(first) == 1 else INSUFFICIENT_EVIDENCE


def _beliefs(about: Sequence[Hypothesis], framework: Framework) -> tuple[Belief, ...]:
    approved = _evidence([each for each in about if each.verdict in {"right", "other"}], framework)
    found = [
        Belief(label, utterances, len(approved.get(label, ())))
        for label, utterances in _evidence(about, framework).items()
    ]
    return tuple(sorted(found, key=lambda each: (-len(each.evidence), each.label)))


def _defences(about: Sequence[Hypothesis]) -> Defences:
    found = _beliefs(about, "defence")
    weights = {defence: level.level for defence, level in DEFENCES.items()}
    levels = Counter({each.label: len(each.evidence) for each in found if each.label in weights})
    counted = [(level, levels[defence]) for defence, level in weights.items() if levels[defence]]
    n_evidence = len({utterance for each in found for utterance in each.evidence})
    if n_evidence < LEAST_QUOTED or not counted:
        return Defences(found, None, None, None, n_evidence)
    overall = sum(level * count for level, count in counted) / sum(count for _, count in counted)
    return Defences(found, overall, min(counted)[0], max(counted)[0], n_evidence)


def _notes(said: Mapping[str, Said], about: Sequence[Hypothesis]) -> tuple[Note, ...]:
    return tuple(
        Note(
            label,
            each.utterance,
            said[each.utterance].session,
            said[each.utterance].at,
            each.start,
            each.end,
            each.confidence,
            each.verdict is not None,
        )
        for each in about
        if each.framework == "note" and (label := standing_label(each)) is not None
    )
