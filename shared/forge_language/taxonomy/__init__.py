"""The closed vocabularies of the psychology layer: which labels exist, what they mean, who described them.

Wording is our own. The lists support a clinician's formulation; none of them is a diagnosis, and no label is ever told
to the person it is about.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, get_args

from forge_language.taxonomy.affect import GOEMOTIONS, NEUTRAL_RADIUS, GoEmotion, QuadrantId, quadrant_of
from forge_language.taxonomy.attachment import (
    ATTACHMENT_HINTS,
    ATTACHMENT_STYLES,
    INSUFFICIENT_EVIDENCE,
    LEAST_QUOTED,
    AttachmentHintId,
    AttachmentStyle,
    AttachmentStyleId,
    InsufficientEvidence,
    attachment_name,
)
from forge_language.taxonomy.defences import (
    DEFENCE_LEVELS,
    DEFENCES,
    PSYDEFCONV,
    DefenceId,
    DefenceLevel,
    DefenceLevelId,
    DysregulationId,
)
from forge_language.taxonomy.distortions import (
    DISTORTIONS,
    NOT_A_DISTORTION,
    Distortion,
    DistortionId,
    NotADistortion,
    StrategyId,
)
from forge_language.taxonomy.notes import NOTES, NoteId
from forge_language.taxonomy.relationship import CCRT, TRANSFERENCE, CcrtId, TransferenceId
from forge_language.taxonomy.schemas import SCHEMAS, Schema, SchemaDomainId, SchemaId
from forge_language.taxonomy.stages import ERIKSON_STAGES, EriksonStage, EriksonStageId
from forge_language.taxonomy.traits import BIG_FIVE, TRAIT_HINTS, FacetId, Trait, TraitHint, TraitHintId, TraitId

__all__ = [
    "ATTACHMENT_HINTS",
    "ATTACHMENT_STYLES",
    "BIG_FIVE",
    "CCRT",
    "DEFENCES",
    "DEFENCE_LEVELS",
    "DISTORTIONS",
    "ERIKSON_STAGES",
    "GOEMOTIONS",
    "INSUFFICIENT_EVIDENCE",
    "LABELS",
    "LEAST_QUOTED",
    "NEUTRAL_RADIUS",
    "NOTES",
    "NOT_A_DISTORTION",
    "PSYDEFCONV",
    "SCHEMAS",
    "TRAIT_HINTS",
    "TRANSFERENCE",
    "AttachmentHintId",
    "AttachmentStyle",
    "AttachmentStyleId",
    "CcrtId",
    "DefenceId",
    "DefenceLevel",
    "DefenceLevelId",
    "Distortion",
    "DistortionId",
    "DysregulationId",
    "EriksonStage",
    "EriksonStageId",
    "FacetId",
    "GoEmotion",
    "InsufficientEvidence",
    "NotADistortion",
    "NoteId",
    "QuadrantId",
    "Schema",
    "SchemaDomainId",
    "SchemaId",
    "StrategyId",
    "Trait",
    "TraitHint",
    "TraitHintId",
    "TraitId",
    "TransferenceId",
    "attachment_name",
    "quadrant_of",
]

LABELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "distortion": tuple(DISTORTIONS),
        "emotion": GOEMOTIONS,
        "affect": get_args(QuadrantId),
        "stage": tuple(stage.id for stage in ERIKSON_STAGES),
        "attachment": ATTACHMENT_HINTS,
        "trait": tuple(TRAIT_HINTS),
        "schema": tuple(SCHEMAS),
        "defence": tuple(DEFENCES),
        "transference": tuple(TRANSFERENCE),
        "note": tuple(NOTES),
    }
)
"""What may be said of an utterance, by framework. Anything else is refused."""
