import re
from pathlib import Path
from typing import get_args

import pytest

from forge_hub.mind.inference import FRAMEWORKS
from forge_language.distortion_patterns import CONFIDENCE, PATTERNS
from forge_language.taxonomy import (
    ATTACHMENT_STYLES,
    BIG_FIVE,
    CCRT,
    DEFENCE_LEVELS,
    DEFENCES,
    DISTORTIONS,
    ERIKSON_STAGES,
    GOEMOTIONS,
    LABELS,
    NOT_A_DISTORTION,
    NOTES,
    PSYDEFCONV,
    SCHEMAS,
    TRAIT_HINTS,
    TRANSFERENCE,
    DefenceId,
    DistortionId,
    DysregulationId,
    EriksonStageId,
    FacetId,
    NoteId,
    SchemaDomainId,
    SchemaId,
    StrategyId,
    TransferenceId,
    attachment_name,
)


def test_every_distortion_has_a_definition_patterns_and_a_strategy() -> None:
    assert set(DISTORTIONS) == set(PATTERNS) == set(CONFIDENCE) == set(get_args(DistortionId))
    assert {distortion.strategy for distortion in DISTORTIONS.values()} == set(get_args(StrategyId))
    assert all(entry.definition and entry.cues and entry.strategy_text for entry in DISTORTIONS.values())


def test_erikson_s_eight_stages_stand_in_order() -> None:
    assert [stage.number for stage in ERIKSON_STAGES] == list(range(1, 9))
    assert tuple(stage.id for stage in ERIKSON_STAGES) == get_args(EriksonStageId)


def test_there_are_twenty_seven_emotions_and_neutral() -> None:
    assert len(set(GOEMOTIONS)) == 28


VOCABULARIES: dict[str, tuple[str, ...]] = {
    **LABELS,
    "strategy": get_args(StrategyId),
    "not a distortion": NOT_A_DISTORTION,
    "attachment style": tuple(ATTACHMENT_STYLES),
    "trait of the five": tuple(BIG_FIVE),
    "facet": tuple(facet for trait in BIG_FIVE.values() for facet in trait.facets),
    "schema domain": get_args(SchemaDomainId),
    "defence level": tuple(level.id for level in DEFENCE_LEVELS),
    "dysregulation": get_args(DysregulationId),
    "core conflictual relationship theme": tuple(CCRT),
}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_every_label_is_written_in_one_way_only(name: str) -> None:
    labels = VOCABULARIES[name]
    assert len(labels) == len(set(labels)) > 1
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in labels)


def test_every_framework_of_an_inference_has_its_labels() -> None:
    assert set(LABELS) == set(FRAMEWORKS)
    assert set(get_args(SchemaId)) == set(SCHEMAS)
    assert set(get_args(DefenceId)) == set(DEFENCES)
    assert set(get_args(TransferenceId)) == set(TRANSFERENCE)
    assert set(get_args(NoteId)) == set(NOTES)


def test_five_traits_have_fifteen_facets_with_two_ends_each() -> None:
    assert "".join(trait.code for trait in BIG_FIVE.values()) == "OCEAN"
    assert set(VOCABULARIES["facet"]) == set(get_args(FacetId))
    assert {(hint.facet, hint.is_high) for hint in TRAIT_HINTS.values()} == {
        (facet, end) for facet in get_args(FacetId) for end in (True, False)
    }
    assert all(hint.facet in BIG_FIVE[hint.trait].facets for hint in TRAIT_HINTS.values())


def test_there_are_eighteen_schemas_in_five_domains() -> None:
    assert len(SCHEMAS) == 18
    assert tuple(dict.fromkeys(schema.domain for schema in SCHEMAS.values())) == get_args(SchemaDomainId)


def test_thirty_defences_stand_on_seven_levels_and_so_do_the_labels_of_psydefconv() -> None:
    assert [level.level for level in DEFENCE_LEVELS] == [7, 6, 5, 4, 3, 2, 1]
    assert len(DEFENCES) == 30
    assert [PSYDEFCONV[label] for label in range(9)] == [
        "no_defence",
        *(level.id for level in reversed(DEFENCE_LEVELS)),
        "needs_more_information",
    ]


@pytest.mark.parametrize(
    ("anxiety", "avoidance", "n_evidence", "name"),
    [
        (0.2, 0.2, 5, "secure"),
        (0.5, 0.49, 5, "anxious_preoccupied"),
        (0.49, 0.5, 9, "dismissive_avoidant"),
        (1.0, 1.0, 5, "fearful_avoidant"),
        (1.0, 1.0, 4, "insufficient_evidence"),
        (0.0, 0.0, 0, "insufficient_evidence"),
    ],
)
def test_a_style_is_named_from_two_axes_and_only_on_enough_evidence(
    anxiety: float, avoidance: float, n_evidence: int, name: str
) -> None:
    assert attachment_name(anxiety, avoidance, n_evidence) == name


def test_self_and_other_model_follow_the_axes() -> None:
    for style in ATTACHMENT_STYLES.values():
        assert (style.self_model == "negative") == (style.anxiety == "high")
        assert (style.other_model == "negative") == (style.avoidance == "high")


AGREED = Path(__file__).parents[3] / "shared" / "TAXONOMIES.md"


@pytest.mark.skipif(not AGREED.exists(), reason="the taxonomies as agreed with clinicians are not here")
def test_the_vocabularies_are_those_that_were_agreed() -> None:
    text = AGREED.read_text(encoding="utf-8")

    def ids(block: str) -> tuple[str, ...]:
        return tuple(re.findall(r"\bid: (\w+)", _block(text, block)))

    assert ids("distortions") == tuple(DISTORTIONS)
    assert _listed(text, "not_a_distortion") == NOT_A_DISTORTION
    assert ids("erikson_stages") == LABELS["stage"]
    assert ids("attachment_styles") == tuple(ATTACHMENT_STYLES)
    assert ids("big_five") == tuple(BIG_FIVE)
    assert _listed(text, "bfi2_facets") == VOCABULARIES["facet"]
    assert ids("schemas") == tuple(SCHEMAS)
    domains = re.findall(r"^  (\w+):$", _block(text, "schemas"), re.MULTILINE)
    assert tuple(domains) == get_args(SchemaDomainId)
    assert ids("defences") == VOCABULARIES["defence level"]
    assert _listed(_block(text, "defences"), "members") == tuple(DEFENCES)
    assert _listed(_block(text, "dsm_iv_extra_level"), "members") == VOCABULARIES["dysregulation"]
    assert _listed(text, "transference_themes") == tuple(TRANSFERENCE)
    assert tuple(re.findall(r"(\w+):", _block(text, "ccrt").partition("{")[2])) == tuple(CCRT)
    assert _listed(text, "goemotions") == GOEMOTIONS
    assert [*re.findall(r"\d: (\w+)", _block(text, "psydefconv_labels"))] == [PSYDEFCONV[label] for label in range(9)]


def _block(text: str, name: str) -> str:
    """Return what is indented under a key, with the key's own line."""
    found = re.search(rf"^{name}:.*(?:\n[ ].*)*", text, re.MULTILINE)
    assert found, name
    return found[0]


def _listed(text: str, name: str) -> tuple[str, ...]:
    """Return the entries of every list that stands in brackets after a key."""
    return tuple(entry.strip() for found in re.findall(rf"\b{name}: \[([^\]]*)\]", text) for entry in found.split(","))
