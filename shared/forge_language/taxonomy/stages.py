"""Erikson's psychosocial stages."""

from dataclasses import dataclass
from typing import Final, Literal

EriksonStageId = Literal[
    "trust_vs_mistrust",
    "autonomy_vs_shame_doubt",
    "initiative_vs_guilt",
    "industry_vs_inferiority",
    "identity_vs_role_confusion",
    "intimacy_vs_isolation",
    "generativity_vs_stagnation",
    "integrity_vs_despair",
]
"""Psychosocial stages. Sources: Erikson E.H. (1950/1963); Erikson & Erikson (1982), *The Life Cycle Completed*."""


@dataclass(frozen=True, slots=True)
class EriksonStage:
    """One psychosocial stage. ``typical_age`` (years) differs by textbook and is never evidence by itself."""

    id: EriksonStageId
    number: int
    typical_age: str
    virtue: str
    question: str


ERIKSON_STAGES: Final = (
    EriksonStage("trust_vs_mistrust", 1, "0-1.5", "hope", "Can I rely on others to be there?"),
    EriksonStage("autonomy_vs_shame_doubt", 2, "1.5-3", "will", "May I act by myself?"),
    EriksonStage("initiative_vs_guilt", 3, "3-5", "purpose", "Is it all right to start things?"),
    EriksonStage("industry_vs_inferiority", 4, "6-11", "competence", "Am I able, compared with others?"),
    EriksonStage("identity_vs_role_confusion", 5, "12-18", "fidelity", "Who am I?"),
    EriksonStage("intimacy_vs_isolation", 6, "19-40", "love", "Can I be close without losing myself?"),
    EriksonStage("generativity_vs_stagnation", 7, "40-65", "care", "Do I give something to those after me?"),
    EriksonStage("integrity_vs_despair", 8, "65+", "wisdom", "Was my life all right as it was?"),
)
