"""Figures over what a person said: a session's or a window's pattern, and what goes together with what. Pure.

They are counts of hypotheses, corrected by clinicians, and no more certain than the taggers that made them.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, Literal

from forge_hub.mind.inference import FRAMEWORKS
from forge_hub.mind.standing import Hypothesis, Said, labels_by_utterance, of_person, readings_by_utterance
from forge_language.taxonomy import DISTORTIONS

NEUTRAL: Final = "neutral"

Axis = Literal["valence", "arousal"]

WEEK: Final = timedelta(days=7)

LEAST_PAIRS: Final = 10
"""Fewer utterances than this give no correlation. Ours: with 10, the interval of even r = .6 reaches zero."""

_Z: Final = 1.959963984540054
"""The 97.5th percentile of the normal distribution: intervals are of 95 %."""


@dataclass(frozen=True, slots=True)
class PatternSummary:
    """What a person's words of one session, or of a window of time, amount to.

    Attributes:
        subject: The person.
        session: The session; None: of a window, or of several sessions.
        since: Time of the first utterance, or the window's beginning.
        until: Time of the last utterance, or the window's end, which is not part of it.
        utterances: How many utterances of the person there are.
        avg_valence: Mean valence, -1 to 1, of those that have a reading; None: none has.
        avg_arousal: Mean arousal likewise.
        dominant_emotion: The emotion of most utterances, of equals the first by name. Neutral where there is no other;
            None: none was found.
        rates: Share of utterances with at least one distortion of a kind, 0 to 1, by ``<distortion id>_rate``, of
            every distortion there is.
        counts: Utterances that show a label, by ``<framework>.<label>``; labels that none shows are left out.
        readings: Utterances that have a reading of valence and arousal.
    """

    subject: str
    session: str | None
    since: datetime
    until: datetime
    utterances: int
    avg_valence: float | None
    avg_arousal: float | None
    dominant_emotion: str | None
    rates: Mapping[str, float]
    counts: Mapping[str, int]
    readings: int = 0


@dataclass(frozen=True, slots=True)
class Correlation:
    """How a distortion goes together with an emotion or with an axis of affect in one person's utterances.

    Attributes:
        distortion: Its id.
        other: Id of an emotion, or ``valence`` or ``arousal``.
        weight: -1 to 1: the phi coefficient with an emotion, the point-biserial correlation with an axis. Both are
            Pearson's r with "shows the distortion" as 1 and 0.
        low: Lower end of the 95 % interval by Fisher's z (1921), which is approximate for shares.
        high: Upper end.
        n: Utterances it rests on.
    """

    distortion: str
    other: str
    weight: float
    low: float
    high: float
    n: int


def summarise(
    utterances: Iterable[Said],
    inferences: Iterable[Hypothesis],
    *,
    window: tuple[datetime, datetime] | None = None,
) -> PatternSummary:
    """Return the pattern of what one person said; the clinician's own words do not count.

    Args:
        utterances: Of one person, at least one.
        inferences: About those utterances; about others they are passed over.
        window: Only what was said from the first moment on and before the second counts. None: all counts.

    Raises:
        ValueError: There is no utterance at all, or there are several people's.
    """
    everything = sorted(utterances, key=lambda each: (each.at, each.id))
    subjects = {each.subject for each in everything}
    if len(subjects) != 1:
        raise ValueError("a summary is of one person's utterances")
    said = of_person(everything)
    sessions = {each.session for each in everything}
    since, until = window or (everything[0].at, everything[-1].at)
    if window is not None:
        said = [each for each in said if since <= each.at < until]
    about = _about(said, inferences)
    distortions = labels_by_utterance(about, "distortion")
    readings = list(readings_by_utterance(about).values())
    return PatternSummary(
        subject=subjects.pop(),
        session=sessions.pop() if window is None and len(sessions) == 1 else None,
        since=since,
        until=until,
        utterances=len(said),
        avg_valence=_mean([valence for valence, _ in readings]),
        avg_arousal=_mean([arousal for _, arousal in readings]),
        dominant_emotion=_dominant(labels_by_utterance(about, "emotion").values()),
        rates={f"{label}_rate": _share(label, distortions.values(), len(said)) for label in DISTORTIONS},
        counts=_counts(about),
        readings=len(readings),
    )


def monday(at: datetime) -> datetime:
    """Return the beginning of the week that a time is in, in UTC."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def correlations(utterances: Iterable[Said], inferences: Iterable[Hypothesis]) -> Sequence[Correlation]:
    """Return how distortions go together with emotions and with affect, by distortion and then by name.

    Whatever is always or never there correlates with nothing and is left out; so is what rests on fewer than ten
    utterances. An axis of affect is compared over the utterances that have a reading. It is an association between
    hypotheses of two taggers that read the same words: no cause, and partly of the words they share.
    """
    said = of_person(utterances)
    about = _about(said, inferences)
    distortions = _by_label(labels_by_utterance(about, "distortion"))
    emotions = _by_label(labels_by_utterance(about, "emotion"))
    readings = readings_by_utterance(about)
    read = [each.id for each in said if each.id in readings]
    axes: tuple[Axis, Axis] = ("valence", "arousal")
    found = []
    for distortion in (each for each in DISTORTIONS if each in distortions):
        shows = distortions[distortion]
        for emotion, feels in sorted(emotions.items()):
            found.append(_correlation(distortion, emotion, phi(shows, feels, len(said)), len(said)))
        for place, axis in enumerate(axes):
            values = [readings[each][place] for each in read]
            weight = pearson([float(each in shows) for each in read], values)
            found.append(_correlation(distortion, axis, weight, len(read)))
    return [each for each in found if each is not None]


def phi(first: AbstractSet[str], second: AbstractSet[str], of: int) -> float | None:
    """Return the phi coefficient of two yes-or-no marks, -1 to 1; None where one is always or never there.

    Args:
        first: Ids of what has the first mark.
        second: Of what has the second.
        of: How many there are in all.

    Source: Pearson's correlation of the two marks as 1 and 0 (Yule 1912), reckoned from whole numbers.
    """
    spread = len(first) * (of - len(first)) * len(second) * (of - len(second))
    if not spread:
        return None
    return max(-1.0, min(1.0, (of * len(first & second) - len(first) * len(second)) / math.sqrt(spread)))


def pearson(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return Pearson's correlation of two equally long series, -1 to 1; None where one of them never varies."""
    if len(set(first)) < 2 or len(set(second)) < 2:  # noqa: PLR2004 (two different values make a variation)
        return None
    middles = math.fsum(first) / len(first), math.fsum(second) / len(second)
    around = [(x - middles[0], y - middles[1]) for x, y in zip(first, second, strict=True)]
    spread = math.sqrt(math.fsum(x * x for x, _ in around)) * math.sqrt(math.fsum(y * y for _, y in around))
    return max(-1.0, min(1.0, math.fsum(x * y for x, y in around) / spread)) if spread else None


def _correlation(distortion: str, other: str, weight: float | None, n: int) -> Correlation | None:
    if weight is None or n < LEAST_PAIRS:
        return None
    low, high = _interval(weight, n)
    return Correlation(distortion, other, weight, low, high, n)


def _interval(weight: float, n: int) -> tuple[float, float]:
    if abs(weight) >= 1:
        return weight, weight
    reach = _Z / math.sqrt(n - 3)
    return math.tanh(math.atanh(weight) - reach), math.tanh(math.atanh(weight) + reach)


def _about(said: Sequence[Said], inferences: Iterable[Hypothesis]) -> list[Hypothesis]:
    ids = {each.id for each in said}
    return [each for each in inferences if each.utterance in ids]


def _by_label(labels: Mapping[str, Collection[str]]) -> Mapping[str, AbstractSet[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for utterance, shown in labels.items():
        for label in shown:
            found[label].add(utterance)
    return found


def _share(label: str, found: Iterable[Collection[str]], of: int) -> float:
    return sum(label in labels for labels in found) / of if of else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _dominant(found: Iterable[Collection[str]]) -> str | None:
    counted = Counter(chain.from_iterable(found))
    feelings = {label: count for label, count in counted.items() if label != NEUTRAL} or counted
    return min(feelings, key=lambda label: (-feelings[label], label)) if feelings else None


def _counts(about: Sequence[Hypothesis]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for framework in FRAMEWORKS:
        for labels in labels_by_utterance(about, framework).values():
            counted.update(f"{framework}.{label}" for label in labels)
    return dict(sorted(counted.items()))
