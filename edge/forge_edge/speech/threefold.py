"""Speech to text by three hearings: the two of `twofold`, and Whisper, which also takes down free speech."""

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineError
from forge_edge.speech.ports import Grammar, Transcription
from forge_edge.speech.third_hearing import ThirdClaim, candidates, decide_third, third_claim
from forge_edge.speech.twofold import HEARINGS, Heard, TwofoldTranscriber
from forge_edge.speech.whisper import LONG_SECONDS, Utterance, Whisper, Words, spelled
from forge_shared.logs import get_logger

MOST_BEHIND_EXPLAINED = 5.0
"""Nat by which Whisper may prefer its own words to an accepted phrase that is taken to explain them: "nope" for "no".
From there on they are judged for danger, too: "no, I want to die"."""

log = get_logger()


class ThreefoldTranscriber:
    """A `Transcriber` of three hearings. What was said beside the question is taken down and judged for danger.

    While Whisper fails, the other two hear alone.
    """

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
        self._failed = False

    @property
    def name(self) -> str:
        """The engine's name."""
        return "threefold"

    def transcribe(self, samples: Samples, grammar: Grammar | None) -> Transcription:
        """Transcribe one utterance, as the port says."""
        try:
            heard = self._taken_down(samples) if grammar is None else self._answered(samples, grammar)
        except EngineError as error:
            if not self._failed:
                log.warning("engine.failed", engine=self.name, reason=error.code)
            self._failed = True
            return self._two.transcribe(samples, grammar)
        if self._failed:
            log.info("engine.recovered", engine=self.name)
        self._failed = False
        return heard

    def claim(self, samples: Samples, grammar: Grammar) -> tuple[Heard, ThirdClaim | None, Words | None]:
        """Hear an utterance three times; what the rule makes of the claim is up to the caller.

        Raises:
            EngineError: An engine failed, or no phrase of the grammar is in the first one's dictionary.
        """
        heard = self._two.hear(samples, grammar)
        utterance = self._whisper.hear(samples)
        words = utterance.words()
        return heard, self._compared(heard, utterance, words), words

    def _answered(self, samples: Samples, grammar: Grammar) -> Transcription:
        if samples.size > LONG_SECONDS * SAMPLE_RATE_HZ:
            words = self._whisper.hear(samples).words()
            text = words.text if words is not None and words.fault is None else None
            return self._two.transcribe(samples, grammar).model_copy(update={"engine": self.name, "words": text})
        heard, claim, words = self.claim(samples, grammar)
        decision = decide_third(claim)
        explained = decision.accepted and claim is not None and claim.behind <= MOST_BEHIND_EXPLAINED
        said = claim.sense if claim is not None and (decision.accepted or decision.doubted) else None
        return Transcription(
            text=claim.phrase if claim is not None and decision.reason != "decoy" else "",
            accepted=decision.accepted,
            doubted=decision.doubted,
            confidence=decision.confidence,
            engine=self.name,
            hearings=(*HEARINGS, "whisper"),
            reason=decision.reason,
            safety=self._two.safety(samples, heard.phones, beaten=_ratio(heard, said)),
            words=words.text if words is not None and words.fault is None and not explained else None,
        )

    def _compared(self, heard: Heard, utterance: Utterance, words: Words | None) -> ThirdClaim | None:
        phrases = candidates(heard.claim, words.text if words is not None else None, heard.scores, heard.senses)
        found = utterance.log_probabilities([*map(spelled, phrases), *([words.written] if words is not None else [])])
        return third_claim(
            dict(zip(phrases, found, strict=False)),
            found[-1] if words is not None else 0.0,
            claim=heard.claim,
            probability=self._two.probability(heard.claim),
            scores=heard.scores,
            senses=heard.senses,
        )

    def _taken_down(self, samples: Samples) -> Transcription:
        words = self._whisper.hear(samples).words()
        believed = words is not None and words.fault is None
        return Transcription(
            text=words.text if words is not None and believed else "",
            accepted=believed,
            confidence=words.confidence if words is not None else 0.0,
            engine=self.name,
            reason=words.fault or "" if words is not None else "nothing-heard",
            safety=self._two.safety(samples, self._two.phones(samples)),
        )


def _ratio(heard: Heard, sense: str | None) -> float | None:
    """Return the second hearing's ratio for what was probably said."""
    best = heard.scores.best(heard.senses)
    return best[sense][0] if sense in best else None
