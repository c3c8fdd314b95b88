"""The shared nodes of the graph: one for each label of the closed vocabularies, the same in every store."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, get_args

from forge_hub.mind.inference import Framework
from forge_language.taxonomy import ATTACHMENT_STYLES, BIG_FIVE, DISTORTIONS, LABELS, StrategyId

EVIDENCE_OF: Final[Mapping[Framework, tuple[str, str]]] = MappingProxyType(
    {
        "distortion": ("HAS_DISTORTION", "Distortion"),
        "emotion": ("TRIGGERS_EMOTION", "Emotion"),
        "affect": ("HAS_SENTIMENT", "Sentiment"),
        "stage": ("REFLECTS_STAGE", "LifeStage"),
        "attachment": ("INDICATES", "Attachment"),
        "trait": ("INDICATES", "Trait"),
        "schema": ("REFLECTS_SCHEMA", "Schema"),
        "defence": ("SHOWS_DEFENSE", "Defence"),
        "transference": ("SHOWS_TRANSFERENCE", "Transference"),
        "note": ("NOTES", "Note"),
    }
)
"""Edge from an utterance, and label of the shared node it leads to, of each framework."""

_OF_PERSONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"Attachment": frozenset(ATTACHMENT_STYLES), "Trait": frozenset(BIG_FIVE)}
)
"""What is said of a person only, beside the hints that single utterances give of it."""

VOCABULARY: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **{
            label: frozenset(LABELS[framework]) | _OF_PERSONS.get(label, frozenset())
            for framework, (_, label) in EVIDENCE_OF.items()
        },
        "Strategy": frozenset(get_args(StrategyId)),
    }
)
"""The ids that the nodes of each shared label may have. A store holds all of them from its beginning and takes no
other: an id that is not here is refused where it would be written.
"""

STRATEGIES: Final[Mapping[str, str]] = MappingProxyType({id_: found.strategy for id_, found in DISTORTIONS.items()})
"""The usual answer to each distortion, CAN_REPHRASE_USING in the graph."""

AXES: Final = frozenset({"valence", "arousal"})
"""What a distortion may go together with besides emotions."""
