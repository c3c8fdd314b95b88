"""Defence mechanisms on seven levels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

DefenceLevelId = Literal[
    "high_adaptive",
    "obsessional",
    "neurotic",
    "minor_image_distorting",
    "disavowal",
    "major_image_distorting",
    "action",
]

DefenceId = Literal[
    "affiliation",
    "altruism",
    "anticipation",
    "humour",
    "self_assertion",
    "self_observation",
    "sublimation",
    "suppression",
    "isolation_of_affect",
    "intellectualisation",
    "undoing",
    "repression",
    "dissociation",
    "reaction_formation",
    "displacement",
    "devaluation_of_self",
    "devaluation_of_object",
    "idealisation_of_self",
    "idealisation_of_object",
    "omnipotence",
    "denial",
    "rationalisation",
    "projection",
    "autistic_fantasy",
    "splitting_of_self",
    "splitting_of_object",
    "projective_identification",
    "acting_out",
    "passive_aggression",
    "help_rejecting_complaining",
]
"""The thirty of the DMRS. Sources: Perry (1990); Di Giuseppe et al. (2014), DMRS-Q; Vaillant (1977)."""

DysregulationId = Literal["delusional_projection", "psychotic_denial", "psychotic_distortion"]
"""DSM-IV's further level, defensive dysregulation (APA 1994, Appendix B). No tagger says these of anybody."""


@dataclass(frozen=True, slots=True)
class DefenceLevel:
    """One level; ``level`` is its weight, 7 for mature to 1."""

    id: DefenceLevelId
    level: int
    members: tuple[DefenceId, ...]


DEFENCE_LEVELS: Final = (
    DefenceLevel(
        "high_adaptive",
        7,
        (
            "affiliation",
            "altruism",
            "anticipation",
            "humour",
            "self_assertion",
            "self_observation",
            "sublimation",
            "suppression",
        ),
    ),
    DefenceLevel("obsessional", 6, ("isolation_of_affect", "intellectualisation", "undoing")),
    DefenceLevel("neurotic", 5, ("repression", "dissociation", "reaction_formation", "displacement")),
    DefenceLevel(
        "minor_image_distorting",
        4,
        (
            "devaluation_of_self",
            "devaluation_of_object",
            "idealisation_of_self",
            "idealisation_of_object",
            "omnipotence",
        ),
    ),
    DefenceLevel("disavowal", 3, ("denial", "rationalisation", "projection", "autistic_fantasy")),
    DefenceLevel(
        "major_image_distorting", 2, ("splitting_of_self", "splitting_of_object", "projective_identification")
    ),
    DefenceLevel("action", 1, ("acting_out", "passive_aggression", "help_rejecting_complaining")),
)
"""The levels in the order of the DMRS. DSM-IV orders some defences otherwise and has apathetic withdrawal, too."""

DEFENCES: Final[Mapping[DefenceId, DefenceLevel]] = {
    member: level for level in DEFENCE_LEVELS for member in level.members
}
"""The level of every defence."""

PSYDEFCONV: Final[Mapping[int, DefenceLevelId | Literal["no_defence", "needs_more_information"]]] = {
    0: "no_defence",
    **{level.level: level.id for level in DEFENCE_LEVELS},
    8: "needs_more_information",
}
"""Labels of the PsyDefConv set (2026), in which people agree at kappa .64 and the best model reaches macro-F1 .30."""
