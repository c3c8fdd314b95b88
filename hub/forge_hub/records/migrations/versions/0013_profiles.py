"""What a person's words amount to, filed by session and week and as a profile; labels off the list are refused."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_LABELS = {
    "distortion": (
        "all_or_nothing overgeneralisation mental_filter disqualifying_positive mind_reading fortune_telling "
        "magnification emotional_reasoning should_statements labelling personalisation blaming unfair_comparison"
    ),
    "emotion": (
        "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval "
        "disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief "
        "remorse sadness surprise neutral"
    ),
    "affect": "pleasant_activated unpleasant_activated unpleasant_deactivated pleasant_deactivated neutral",
    "stage": (
        "trust_vs_mistrust autonomy_vs_shame_doubt initiative_vs_guilt industry_vs_inferiority "
        "identity_vs_role_confusion intimacy_vs_isolation generativity_vs_stagnation integrity_vs_despair"
    ),
    "attachment": "anxiety_high anxiety_low avoidance_high avoidance_low",
    "trait": (
        "intellectual_curiosity_high intellectual_curiosity_low aesthetic_sensitivity_high aesthetic_sensitivity_low "
        "creative_imagination_high creative_imagination_low organisation_high organisation_low productiveness_high "
        "productiveness_low responsibility_high responsibility_low sociability_high sociability_low "
        "assertiveness_high assertiveness_low energy_level_high energy_level_low compassion_high compassion_low "
        "respectfulness_high respectfulness_low trust_high trust_low anxiety_high anxiety_low depression_high "
        "depression_low emotional_volatility_high emotional_volatility_low"
    ),
    "schema": (
        "abandonment_instability mistrust_abuse emotional_deprivation defectiveness_shame social_isolation_alienation "
        "dependence_incompetence vulnerability_to_harm_illness enmeshment_undeveloped_self failure "
        "entitlement_grandiosity insufficient_self_control subjugation self_sacrifice approval_seeking "
        "negativity_pessimism emotional_inhibition unrelenting_standards punitiveness"
    ),
    "defence": (
        "affiliation altruism anticipation humour self_assertion self_observation sublimation suppression "
        "isolation_of_affect intellectualisation undoing repression dissociation reaction_formation displacement "
        "devaluation_of_self devaluation_of_object idealisation_of_self idealisation_of_object omnipotence denial "
        "rationalisation projection autistic_fantasy splitting_of_self splitting_of_object projective_identification "
        "acting_out passive_aggression help_rejecting_complaining"
    ),
    "transference": "idealising mirroring erotic hostile dependent parental avoidant testing_limits",
    "note": "allergy medication care_request dietary_need key_event",
}
"""The vocabularies of this version: `forge_language.taxonomy.LABELS`."""


def upgrade() -> None:
    """Apply. The tables are filled when the graph is derived anew, and whenever a person says something."""
    op.create_table(
        "pattern_summary",
        *(sa.Column(name, sa.String(), primary_key=True) for name in ("subject", "span", "key")),
        sa.Column("session", sa.String(), nullable=True),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("since", "until")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("utterances", "readings")),
        *(sa.Column(name, sa.Float(), nullable=True) for name in ("avg_valence", "avg_arousal")),
        sa.Column("dominant_emotion", sa.String(), nullable=True),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("rates", "counts")),
    )
    op.create_index("ix_pattern_summary_session", "pattern_summary", ["session"])
    op.create_table(
        "profile",
        sa.Column("subject", sa.String(), primary_key=True),
        sa.Column("utterances", sa.Integer(), nullable=False),
        sa.Column("attachment", sa.String(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("anxiety", "avoidance")),
        sa.Column("n_evidence", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("detail", "feelings", "arc", "correlations")),
        sa.CheckConstraint(
            "attachment IN ('secure', 'anxious_preoccupied', 'dismissive_avoidant', 'fearful_avoidant', "
            "'insufficient_evidence')",
            name="profile_attachment",
        ),
        sa.CheckConstraint(
            "stage IN ('trust_vs_mistrust', 'autonomy_vs_shame_doubt', 'initiative_vs_guilt', "
            "'industry_vs_inferiority', 'identity_vs_role_confusion', 'intimacy_vs_isolation', "
            "'generativity_vs_stagnation', 'integrity_vs_despair', 'insufficient_evidence')",
            name="profile_stage",
        ),
        sa.CheckConstraint("anxiety BETWEEN 0 AND 1 AND avoidance BETWEEN 0 AND 1", name="profile_axes"),
    )
    listed = " OR ".join(
        f"(framework = '{framework}' AND label IN ({', '.join(repr(label) for label in labels.split())}))"
        for framework, labels in _LABELS.items()
    )
    with op.batch_alter_table("inference") as table:
        table.create_check_constraint("inference_label", listed)
