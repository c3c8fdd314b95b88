"""A person's sessions with figures that are known beforehand, in an order that chance decides."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from tests.fakes.mind_rows import BEGUN, felt, found, said

from forge_hub.records.schema import Inference, Utterance

WEEKLY: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PlantedSession:
    """What one session is to contain, in utterances.

    Attributes:
        middle: Mean valence; half of the utterances lie above it by ``reach``, half below.
        reach: How far.
        both: How many show overgeneralisation and sadness.
        thought: How many show overgeneralisation alone.
        felt: How many show sadness alone.
        neither: How many show neither; of these one each shows joy, so long as ``joys`` lasts.
        joys: How many.
    """

    middle: float
    reach: float
    both: int
    thought: int
    felt: int
    neither: int
    joys: int = 0

    @property
    def utterances(self) -> int:
        """How many utterances it has; even, so that valences balance."""
        return self.both + self.thought + self.felt + self.neither


PLAN: Final = (
    PlantedSession(-0.5, 0.25, both=3, thought=1, felt=1, neither=3),
    PlantedSession(-0.5625, 0.125, both=2, thought=2, felt=2, neither=2),
    PlantedSession(-0.4375, 0.375, both=4, thought=0, felt=1, neither=3),
    PlantedSession(0.25, 0.5, both=1, thought=1, felt=0, neither=6, joys=3),
    PlantedSession(0.3125, 0.25, both=0, thought=1, felt=1, neither=6, joys=4),
    PlantedSession(0.1875, 0.125, both=1, thought=0, felt=0, neither=7, joys=5),
)
"""Six sessions of eight utterances, a week apart, that turn between the third and the fourth."""

RATES: Final = (0.5, 0.5, 0.5, 0.25, 0.125, 0.125)
"""Of overgeneralisation: (both + thought) / 8, by hand."""
DOMINANT: Final = ("sadness", "sadness", "sadness", "joy", "joy", "joy")
HIGHS: Final = (-0.25, -0.4375, -0.0625, 0.75, 0.5625, 0.3125)
LOWS: Final = (-0.75, -0.6875, -0.8125, -0.25, 0.0625, 0.0625)
PHI_CELLS: Final = (11, 5, 5, 27)
"""Both, thought alone, felt alone, neither, of all 48: columns added by hand."""


@dataclass(slots=True)
class Planted:
    """What was planted."""

    utterances: list[Utterance] = field(default_factory=list)
    inferences: list[Inference] = field(default_factory=list)


def plant(seed: int, subject: str = "p-1", plan: Sequence[PlantedSession] = PLAN) -> Planted:
    """Return the rows of a plan. Chance decides who shows what, and in which order the rows come; no figure does."""
    chance = random.Random(seed)
    planted = Planted()
    for number, session in enumerate(plan):
        kinds = _kinds(session)
        valences = [session.middle + session.reach * (-1) ** place for place in range(session.utterances)]
        chance.shuffle(kinds)
        chance.shuffle(valences)
        for place, (kind, valence) in enumerate(zip(kinds, valences, strict=True)):
            key = f"{subject}-{number}-{place}"
            at = BEGUN + number * WEEKLY + timedelta(minutes=place)
            planted.utterances.append(said(key, session=f"{subject}-{number}", at=at, subject=subject))
            planted.inferences.append(felt(key, valence, 0.5, at=at, subject=subject, session=f"{subject}-{number}"))
            for framework, label in kind.items():
                planted.inferences.append(
                    found(key, framework, label, 0.75, at=at, subject=subject, session=f"{subject}-{number}")
                )
    chance.shuffle(planted.utterances)
    chance.shuffle(planted.inferences)
    return planted


def _kinds(session: PlantedSession) -> list[Mapping[str, str]]:
    thought, sad, glad = {"distortion": "overgeneralisation"}, {"emotion": "sadness"}, {"emotion": "joy"}
    plain: list[Mapping[str, str]] = [glad if place < session.joys else {} for place in range(session.neither)]
    return [*[{**thought, **sad}] * session.both, *[thought] * session.thought, *[sad] * session.felt, *plain]
