"""Speech to text by three hearings: the two of `twofold`, and Whisper, which also takes down free speech."""

from forge_edge.audio.ports import Samples
from forge_edge.speech.ports import Grammar, Transcription
from forge_edge.speech.third_hearing import ThirdClaim, candidates, decide_third, third_claim
from forge_edge.speech.twofold import HEARINGS, Heard, TwofoldTranscriber
from forge_edge.speech.whisper import Whisper, Words, spelled


class ThreefoldTranscriber:
    """A `Transcriber` of three hearings. What was said beside the question is taken down and judged for danger."""

    def __init__(self, whisper: Whisper, two: TwofoldTranscriber | None = None) -> None:
        """Take the hearings.

        Args:
            whisper: The third one.
            two: The first two; new ones where none are given.

        Raises:
            EngineMissingError: A model does not load.
        """
        self._whisper = whisper
        self._two = two or TwofoldTranscriber()

    @property
    def name(self) -> str:
        """The engine's name."""
        return "threefold"

    def transcribe(self, samples: Samples, grammar: Grammar | None) -> Transcription:
        """Transcribe one utterance, as the port says."""
        if grammar is None:
            return self._taken_down(samples)
        heard, claim, words = self.claim(samples, grammar)
        decision = decide_third(claim)
        is_said = decision.accepted or decision.doubted
        beaten = heard.claim.own if is_said and heard.claim is not None else None
        return Transcription(
            text=claim.phrase if claim is not None and decision.reason != "decoy" else "",
            accepted=decision.accepted,
            doubted=decision.doubted,
            confidence=decision.confidence,
            engine=self.name,
            hearings=(*HEARINGS, "whisper"),
            reason=decision.reason,
            safety=self._two.safety(samples, heard.phones, beaten=beaten),
            words=words.text if words is not None and words.fault is None and not decision.accepted else None,
        )

    def claim(self, samples: Samples, grammar: Grammar) -> tuple[Heard, ThirdClaim | None, Words | None]:
        """Hear an utterance three times; what the rule makes of the claim is up to the caller.

        Raises:
            EngineError: An engine failed, or no phrase of the grammar is in the first one's dictionary.
        """
        heard = self._two.hear(samples, grammar)
        hearing = self._whisper.hear(samples)
        words = hearing.words()
        phrases = candidates(heard.claim, words.text if words is not None else None, heard.scores, heard.senses)
        found = hearing.log_probabilities([*map(spelled, phrases), *([words.written] if words is not None else [])])
        claim = third_claim(
            dict(zip(phrases, found, strict=False)),
            found[-1] if words is not None else 0.0,
            claim=heard.claim,
            probability=self._two.probability(heard.claim),
            scores=heard.scores,
            senses=heard.senses,
        )
        return heard, claim, words

    def _taken_down(self, samples: Samples) -> Transcription:
        words = self._whisper.hear(samples).words()
        believed = words is not None and words.fault is None
        safety = self._two.safety(samples, self._two.phones(samples))
        if words is None:
            return Transcription(text="", accepted=False, confidence=0.0, engine=self.name, safety=safety)
        return Transcription(
            text=words.text,
            accepted=believed,
            confidence=words.confidence,
            engine=self.name,
            reason=words.fault or "",
            safety=safety,
        )
