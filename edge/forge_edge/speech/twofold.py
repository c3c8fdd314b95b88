"""Speech to text that acts only on what two hearings agree on, and listens for danger beside whatever was asked."""

import hashlib
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from pydantic import ValidationError

from forge_edge.audio.ports import Samples
from forge_edge.errors import EngineMissingError
from forge_edge.speech.agreement import DECOY, AgreementRule, Claim, claimed, decide
from forge_edge.speech.phones import ChannelTables, PhoneChannel, PhraseScores, Spelling, spelling
from forge_edge.speech.pocketsphinx import PocketsphinxTranscriber
from forge_edge.speech.ports import Grammar, Transcription
from forge_edge.speech.wordings import Wordings, wordings
from forge_shared.model import Frozen

LEAST_SAFETY_RATIO = 0.0
"""Of the second hearing alone, per sign: from here on a call for help is looked for with its own grammar, too."""
LEAST_SAFETY_PROBABILITY = 0.4
"""Of both hearings together. Lower than for an answer: a call that is missed costs more than a question too many."""

LEAST_SHORT_SAFETY_PROBABILITY = 0.9
_FEW_PHONES = 4.5
"""A call of one syllable ("help") is easily heard in another one ("nope")."""

HEARINGS = ("pocketsphinx-grammar", "pocketsphinx-phones")

_CACHED_GRAMMARS = 24
"""As many as the first hearing keeps."""


class FittedHearing(Frozen):
    """What ``benchmarks/hearing.py agree`` fitted: the second hearing's channel and the rule over both hearings."""

    channel: ChannelTables
    rule: AgreementRule


@dataclass(frozen=True, slots=True)
class Heard:
    """What two hearings make of an utterance.

    Attributes:
        claim: What they say together; None where one of them heard nothing.
        phones: What the second wrote down.
        scores: How well each phrase explains that.
        senses: What each phrase means, decoys among them.
    """

    claim: Claim | None
    phones: Sequence[str]
    scores: PhraseScores
    senses: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Compared:
    grammar: Grammar
    spelled: Spelling
    senses: dict[str, str]


class TwofoldTranscriber:
    """A `Transcriber` of two hearings: pocketsphinx's grammar search, and its free phones through a noisy channel.

    Free dictation has no second hearing and is pocketsphinx's alone.
    """

    def __init__(
        self,
        first: PocketsphinxTranscriber | None = None,
        fitted: FittedHearing | None = None,
        words: Wordings | None = None,
    ) -> None:
        """Load the models.

        Args:
            first: The first hearing; a new one where none is given.
            fitted: The second hearing and the rule; the shipped ones where none are given.
            words: The catalogue whose safety phrases are listened for; English where none is given.

        Raises:
            EngineMissingError: A model does not load.
        """
        self._first = first or PocketsphinxTranscriber()
        fitted = fitted or shipped()
        self._channel = PhoneChannel(fitted.channel)
        self._rule = fitted.rule
        self._compared: OrderedDict[Grammar, _Compared] = OrderedDict()
        catalogue = words or wordings()
        self._decoys = catalogue.decoys
        safety = catalogue.safety
        self._safety = Grammar(
            "safety",
            tuple(phrase for ways in safety.values() for phrase in ways),
            tuple(kind for kind, ways in safety.items() for _ in ways),
        )

    @property
    def name(self) -> str:
        """The engine's name."""
        return "twofold"

    def transcribe(self, samples: Samples, grammar: Grammar | None) -> Transcription:
        """Transcribe one utterance, as the port says."""
        if grammar is None:
            dictated = self._first.transcribe(samples, None)
            safety = self.safety(samples, self._first.phones(samples))
            return dictated.model_copy(update={"engine": self.name, "safety": safety})
        heard = self.hear(samples, grammar)
        claim = heard.claim
        decision = decide(claim, self._rule)
        beaten = claim.own if claim is not None and (decision.accepted or decision.doubted) else None
        return Transcription(
            text=claim.phrase if claim is not None and decision.reason != "decoy" else "",
            accepted=decision.accepted,
            doubted=decision.doubted,
            confidence=decision.confidence,
            engine=self.name,
            hearings=HEARINGS,
            reason=decision.reason,
            safety=self.safety(samples, heard.phones, beaten=beaten),
        )

    def hear(self, samples: Samples, grammar: Grammar) -> Heard:
        """Hear an utterance twice; what the rule makes of the claim is up to the caller.

        Raises:
            EngineError: The engine failed, or no phrase of the grammar is in its dictionary.
        """
        compared = self._with_decoys(grammar)
        listening = self._first.listen(samples, compared.grammar)
        scores = self._channel.scores(listening.phones, compared.spelled)
        claim = claimed(listening.text, listening.evidence, scores, compared.grammar, compared.senses)
        return Heard(claim, listening.phones, scores, compared.senses)

    def probability(self, claim: Claim | None) -> float:
        """Return how probable the rule finds a claim, 0 to 1."""
        return self._rule.probability(claim.figures) if claim is not None else 0.0

    def phones(self, samples: Samples) -> Sequence[str]:
        """Return what the second hearing writes down.

        Raises:
            EngineError: The engine failed.
        """
        return self._first.phones(samples)

    def safety(self, samples: Samples, phones: Sequence[str], *, beaten: float | None = None) -> str | None:
        """Return the call for help or the danger that was said, whatever the room had asked; None for none.

        The second hearing looks for it in every utterance; only what it finds is looked for again with a grammar.

        Args:
            samples: The utterance.
            phones: What the second hearing wrote down.
            beaten: The second hearing's ratio for what was probably said; a call must explain the sound better.

        Raises:
            EngineError: The engine failed.
        """
        scores = self._scores(phones, self._safety)
        best = max(scores.ratios.values(), default=0.0)
        if not scores.heard or best / scores.heard < LEAST_SAFETY_RATIO or (beaten is not None and best <= beaten):
            return None
        claim = self.hear(samples, self._safety).claim
        if claim is None or claim.sense.startswith(DECOY):
            return None
        short = math.exp(claim.evidence.phones) < _FEW_PHONES
        least = LEAST_SHORT_SAFETY_PROBABILITY if short else LEAST_SAFETY_PROBABILITY
        if self._rule.probability(claim.figures) < least:
            return None
        return claim.phrase

    def _scores(self, phones: Sequence[str], grammar: Grammar) -> PhraseScores:
        return self._channel.scores(phones, self._with_decoys(grammar).spelled)

    def _with_decoys(self, grammar: Grammar) -> _Compared:
        if grammar in self._compared:
            self._compared.move_to_end(grammar)
            return self._compared[grammar]
        if len(self._compared) >= _CACHED_GRAMMARS:
            self._compared.popitem(last=False)
        decoys = tuple(words for words in self._decoys if words not in grammar.phrases)
        senses = {phrase: grammar.sense(phrase) for phrase in grammar.phrases}
        senses |= {words: f"{DECOY}{words}" for words in decoys}
        ways = {phrase: self._first.pronunciations(phrase) for phrase in senses}
        self._compared[grammar] = _Compared(
            Grammar(grammar.name, tuple(senses), tuple(senses.values())),
            spelling({phrase: way for phrase, way in ways.items() if way}),
            senses,
        )
        return self._compared[grammar]


@lru_cache
def shipped() -> FittedHearing:
    """Return the fitted channel and rule of the package; ``models/hearing`` has their card.

    Raises:
        EngineMissingError: The file is missing or broken.
    """
    try:
        return FittedHearing.model_validate_json(_file_bytes())
    except (OSError, ValidationError) as error:
        raise EngineMissingError("the second hearing does not load; reinstall persona-forge-edge") from error


def digest() -> str:
    """Return the SHA-256 of the package's file, in hexadecimal."""
    return hashlib.sha256(_file_bytes()).hexdigest()


def _file_bytes() -> bytes:
    return (resources.files("forge_edge.speech") / "hearing.json").read_bytes()
