"""Early maladaptive schemas: eighteen in five domains."""

from dataclasses import dataclass
from typing import Final, Literal

SchemaDomainId = Literal[
    "disconnection_rejection",
    "impaired_autonomy_performance",
    "impaired_limits",
    "other_directedness",
    "overvigilance_inhibition",
]

SchemaId = Literal[
    "abandonment_instability",
    "mistrust_abuse",
    "emotional_deprivation",
    "defectiveness_shame",
    "social_isolation_alienation",
    "dependence_incompetence",
    "vulnerability_to_harm_illness",
    "enmeshment_undeveloped_self",
    "failure",
    "entitlement_grandiosity",
    "insufficient_self_control",
    "subjugation",
    "self_sacrifice",
    "approval_seeking",
    "negativity_pessimism",
    "emotional_inhibition",
    "unrelenting_standards",
    "punitiveness",
]
"""Source: Young, Klosko & Weishaar (2003), *Schema Therapy*. No item of the YSQ, which is copyrighted, is used."""


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema, with the belief that is at its core in our own words."""

    id: SchemaId
    domain: SchemaDomainId
    belief: str


_SCHEMAS: Final = (
    Schema(
        "abandonment_instability",
        "disconnection_rejection",
        "Those close to me will leave or cannot be relied on.",
    ),
    Schema("mistrust_abuse", "disconnection_rejection", "Others will hurt, use or deceive me."),
    Schema("emotional_deprivation", "disconnection_rejection", "Nobody will give me the care that I need."),
    Schema("defectiveness_shame", "disconnection_rejection", "I am flawed; who sees me cannot love me."),
    Schema("social_isolation_alienation", "disconnection_rejection", "I am different and belong nowhere."),
    Schema("dependence_incompetence", "impaired_autonomy_performance", "I cannot manage daily life without help."),
    Schema(
        "vulnerability_to_harm_illness",
        "impaired_autonomy_performance",
        "Catastrophe is near and I cannot prevent it.",
    ),
    Schema(
        "enmeshment_undeveloped_self", "impaired_autonomy_performance", "Apart from the other I am nobody of my own."
    ),
    Schema("failure", "impaired_autonomy_performance", "Beside my peers I have failed, or shall."),
    Schema("entitlement_grandiosity", "impaired_limits", "I stand above others and their rules."),
    Schema(
        "insufficient_self_control", "impaired_limits", "I cannot bear frustration or hold my impulses, or will not."
    ),
    Schema("subjugation", "other_directedness", "I must give in, or meet anger or be left."),
    Schema("self_sacrifice", "other_directedness", "The needs of others come first, or I am guilty."),
    Schema("approval_seeking", "other_directedness", "I am worth what others think of me."),
    Schema("negativity_pessimism", "overvigilance_inhibition", "The bad outweighs the rest; things will go wrong."),
    Schema("emotional_inhibition", "overvigilance_inhibition", "To show what I feel is shameful or dangerous."),
    Schema("unrelenting_standards", "overvigilance_inhibition", "I must be nearly perfect, or be criticised."),
    Schema("punitiveness", "overvigilance_inhibition", "Whoever makes a mistake deserves to suffer for it."),
)

SCHEMAS: Final = {schema.id: schema for schema in _SCHEMAS}
"""Every schema by its id, domain by domain."""
