"""The Big Five with their facets."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

TraitId = Literal["openness", "conscientiousness", "extraversion", "agreeableness", "neuroticism"]
"""Sources: Goldberg (1990); Costa & McCrae (1992). Neuroticism is negative emotionality in newer words."""

FacetId = Literal[
    "intellectual_curiosity",
    "aesthetic_sensitivity",
    "creative_imagination",
    "organisation",
    "productiveness",
    "responsibility",
    "sociability",
    "assertiveness",
    "energy_level",
    "compassion",
    "respectfulness",
    "trust",
    "anxiety",
    "depression",
    "emotional_volatility",
]
"""Structure of the BFI-2: Soto & John (2017). Its items are not used; ours are in our own words."""

TraitHintId = Literal[
    "intellectual_curiosity_high",
    "intellectual_curiosity_low",
    "aesthetic_sensitivity_high",
    "aesthetic_sensitivity_low",
    "creative_imagination_high",
    "creative_imagination_low",
    "organisation_high",
    "organisation_low",
    "productiveness_high",
    "productiveness_low",
    "responsibility_high",
    "responsibility_low",
    "sociability_high",
    "sociability_low",
    "assertiveness_high",
    "assertiveness_low",
    "energy_level_high",
    "energy_level_low",
    "compassion_high",
    "compassion_low",
    "respectfulness_high",
    "respectfulness_low",
    "trust_high",
    "trust_low",
    "anxiety_high",
    "anxiety_low",
    "depression_high",
    "depression_low",
    "emotional_volatility_high",
    "emotional_volatility_low",
]
"""What one utterance may hint at: an end of one facet."""


@dataclass(frozen=True, slots=True)
class Trait:
    """One of the five. ``code`` is its letter in OCEAN."""

    id: TraitId
    code: str
    high: str
    low: str
    facets: tuple[FacetId, FacetId, FacetId]


_TRAITS: Final = (
    Trait(
        "openness",
        "O",
        "Curious, imaginative, drawn to art.",
        "Practical, fond of what is known.",
        ("intellectual_curiosity", "aesthetic_sensitivity", "creative_imagination"),
    ),
    Trait(
        "conscientiousness",
        "C",
        "Orderly, persistent, reliable.",
        "Casual, easily distracted.",
        ("organisation", "productiveness", "responsibility"),
    ),
    Trait(
        "extraversion",
        "E",
        "Sociable, assertive, energetic.",
        "Reserved, quiet.",
        ("sociability", "assertiveness", "energy_level"),
    ),
    Trait(
        "agreeableness",
        "A",
        "Kind, respectful, trusting.",
        "Critical, competitive.",
        ("compassion", "respectfulness", "trust"),
    ),
    Trait(
        "neuroticism",
        "N",
        "Anxious, of low and changing mood.",
        "Calm, even.",
        ("anxiety", "depression", "emotional_volatility"),
    ),
)

BIG_FIVE: Final = {trait.id: trait for trait in _TRAITS}
"""The five by their id, in the order of OCEAN."""


@dataclass(frozen=True, slots=True)
class TraitHint:
    """An end of a facet. ``is_high``: it speaks for the trait, else against it."""

    id: TraitHintId
    trait: TraitId
    facet: FacetId
    is_high: bool


def _hint(key: TraitHintId) -> TraitHint:
    name, _, end = key.rpartition("_")
    trait, facet = next((trait.id, facet) for trait in _TRAITS for facet in trait.facets if facet == name)
    return TraitHint(key, trait, facet, end == "high")


TRAIT_HINTS: Final = {key: _hint(key) for key in get_args(TraitHintId)}
"""Every end of a facet by its id."""
