"""Every tagger of hints: rules that were never validated, each of a framework without openly licensed labels."""

from collections.abc import Callable
from typing import Final

from forge_hub.mind.inference import Tagger
from forge_hub.mind.taggers.attachment import AttachmentTagger
from forge_hub.mind.taggers.defences import DefenceTagger
from forge_hub.mind.taggers.notes import NoteTagger
from forge_hub.mind.taggers.schemas import SchemaTagger
from forge_hub.mind.taggers.stages import StageTagger
from forge_hub.mind.taggers.traits import TraitTagger
from forge_hub.mind.taggers.transference import TransferenceTagger

ALL: Final[tuple[Callable[[], Tagger], ...]] = (
    StageTagger,
    AttachmentTagger,
    TraitTagger,
    SchemaTagger,
    DefenceTagger,
    TransferenceTagger,
    NoteTagger,
)
"""What makes each of them."""
