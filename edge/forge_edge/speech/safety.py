"""What of an utterance must be judged for danger. Pure."""

from forge_language.crisis import Judgement, judge

_RANK = {"none": 0, "note": 1, "staff": 2, "urgent": 3}


def danger(text: str, *, accepted: bool, safety: str | None, language: str = "en") -> Judgement:
    """Judge what two hearings of one utterance made of it, for `SpeechHeard`'s fields of the same names.

    Args:
        text: What was heard with the grammar, or taken down.
        accepted: Whether that may be acted on; a guess is not judged.
        safety: The call or danger that was heard beside the grammar.
        language: Which catalogue of dangers.

    Returns:
        The graver of the two judgements; of equals that of the safety phrase, which was searched for.
    """
    judged = [judge(words, language) for words in (safety or "", text if accepted else "")]
    return max(judged, key=lambda judgement: _RANK[judgement.priority])
