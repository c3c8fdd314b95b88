from typing import get_args

from forge_language.distortion_patterns import CONFIDENCE, PATTERNS
from forge_language.taxonomy import DISTORTIONS, ERIKSON_STAGES, GOEMOTIONS, DistortionId, EriksonStageId, StrategyId


def test_every_distortion_has_a_definition_patterns_and_a_strategy() -> None:
    assert set(DISTORTIONS) == set(PATTERNS) == set(CONFIDENCE) == set(get_args(DistortionId))
    assert {distortion.strategy for distortion in DISTORTIONS.values()} == set(get_args(StrategyId))
    assert all(entry.definition and entry.cues and entry.strategy_text for entry in DISTORTIONS.values())


def test_erikson_s_eight_stages_stand_in_order() -> None:
    assert [stage.number for stage in ERIKSON_STAGES] == list(range(1, 9))
    assert tuple(stage.id for stage in ERIKSON_STAGES) == get_args(EriksonStageId)


def test_there_are_twenty_seven_emotions_and_neutral() -> None:
    assert len(set(GOEMOTIONS)) == 28
