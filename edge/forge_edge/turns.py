"""Whose turn it is: the state machine of the ears. Pure: it takes what happened and a time, and says what to do.

::

    waiting --wake word--> deciding --instruction--> speaking --played--> listening --utterance--> deciding
       ^                      |                         |                     |
       +----- no answer ------+          wake word, or speech during a question

Muted, lost and closed lie across: the room hears nothing then, still speaks, and every wait still ends.
"""

from collections import deque
from enum import Enum
from typing import Literal

from forge_edge.acts import Acts, Decode, Hush, Speak, Tell
from forge_edge.audio.activity import (
    CHUNK_SECONDS,
    SILENCE_PROBABILITY,
    SPEECH_PROBABILITY,
    Ended,
    Endpointer,
    EndpointLimits,
    Paused,
    Started,
    TimedOut,
)
from forge_edge.audio.pace import Pace
from forge_edge.interruption import Interruption
from forge_edge.messages import Hearing, Instruction, Listen, NothingHeard, SpeechHeard, WakeHeard

REPLY_SECONDS = 5.0
"""How long a report waits for the core's instruction before the ears go back to their wake word."""

SENTENCE_SECONDS = 15.0
"""A sentence begins within this time (an engine takes ten seconds at most) or the room takes it for spoken."""

LEAD_SECONDS = 0.6
"""What was heard before an interruption was noticed belongs to the utterance: its first word began then."""

NOISE_SPEECH_SECONDS = 0.6
"""A cough lasts 0.3 to 0.5 s (Morice et al. 2007, European Respiratory Journal 29(6)). What is not longer, has no
pitch and means nothing is no answer, and nobody is asked to repeat it."""

NOISES = 5
"""So many noises are passed over in one turn; then the core is told that nothing was understood."""

LEAST_PATIENCE_SECONDS = 2.0
"""Who coughs at the end of their time to answer is about to speak."""

GOES_ON_SECONDS = 1.0
"""Who speaks again within this time after their utterance had ended was only pausing: the room learns from it."""

DICTATION_SECONDS = 3600.0
"""Without speech for this long dictation is opened anew."""


class State(Enum):
    """What the room is doing. Every state has a limit; the four at rest end only by what comes from outside.

    ``waiting`` is at rest: the room listens for its wake word, and in a recorded session takes down what is said.
    ``listening`` ends at the latest after the patience of the question and the longest utterance.
    ``deciding`` ends after the engine's limit and `REPLY_SECONDS`.
    ``speaking`` ends when all was played, `SENTENCE_SECONDS` after a sentence that does not begin or end.
    ``muted``, ``lost`` and ``closed`` are at rest: somebody muted the room, its microphone fails, or its sound ended.
    """

    WAITING = "waiting"
    LISTENING = "listening"
    DECIDING = "deciding"
    SPEAKING = "speaking"
    MUTED = "muted"
    LOST = "lost"
    CLOSED = "closed"


Deafness = Literal["muted", "silent", "lost", "closed"]
"""Why nothing is heard: muted by command; exact zeros only (a switch on the microphone, or a dead one); the device
failed; the sound has ended."""

_SHOWN: dict[Deafness, State] = {
    "closed": State.CLOSED,
    "muted": State.MUTED,
    "lost": State.LOST,
    "silent": State.LOST,
}
"""Of several reasons the first is shown: somebody who muted the room wants to see that it is."""
_REASONS: dict[Deafness, Hearing] = {
    "muted": Hearing(state="closed", reason="stopped"),
    "silent": Hearing(state="lost", reason="source-silent"),
    "lost": Hearing(state="lost", reason="source-failed"),
    "closed": Hearing(state="closed", reason="stopped"),
}


class Turns:
    """The state machine. Times called ``now`` are this machine's monotonic clock, ``at_seconds`` are stream time."""

    def __init__(self) -> None:
        self._doing: State = State.WAITING
        self._deaf: set[Deafness] = set()
        self._told: Deafness | None = None
        self._limit = float("inf")
        self._instruction = Instruction(turn=0)
        self._next: Instruction | None = None
        self._endpointer: Endpointer | None = None
        self._pace = Pace()
        self._opened_seconds: float | None = None
        self._interrupted = False
        self._noises = 0
        self._recent: deque[tuple[float, float]] = deque(maxlen=int(LEAD_SECONDS / CHUNK_SECONDS))
        self._interruption = Interruption()
        self._ended_seconds: float | None = None
        self._more: tuple[Decode, SpeechHeard] | None = None

    @property
    def state(self) -> State:
        """What the room is doing, as it is shown: who is deaf says so before anything else."""
        return _SHOWN[self._foremost()] if self._deaf else self._doing

    @property
    def is_speaking(self) -> bool:
        """Whether the room speaks, deaf or not."""
        return self._doing is State.SPEAKING

    @property
    def attends(self) -> bool:
        """Whether it matters if somebody speaks; at rest only the wake word does."""
        return self._doing is not State.WAITING or self._endpointer is not None or self._ended_seconds is not None

    @property
    def hears(self) -> bool:
        """Whether sound is listened to at all."""
        return not self._deaf

    @property
    def awaits_wake_word(self) -> bool:
        """Whether the wake word would be followed: at rest, while the room speaks, and by who interrupted it."""
        return not self._deaf and (self._doing in (State.WAITING, State.SPEAKING) or self._interrupted)

    @property
    def turn(self) -> int:
        """Number of the turn that is held."""
        return self._instruction.turn

    @property
    def pace(self) -> Pace:
        """What is known of the speaker's pauses."""
        return self._pace

    def instructed(self, instruction: Instruction, now: float) -> Acts:
        """Follow an instruction; one that comes while the room speaks is followed afterwards, the newest alone.

        Unless it is for now: then what is being said is broken off, but never what concerns somebody's safety.
        """
        if self._doing is State.SPEAKING:
            if not instruction.at_once or self._instruction.guarded:
                self._next = instruction
                return ()
            waiting, self._next = self._next, None
            if waiting is not None and waiting.guarded:  # it is said all the same
                say = (*waiting.say, *instruction.say)
                instruction = instruction.model_copy(update={"say": say, "guarded": True})
            self._do(State.WAITING)
            return Hush(), *self.instructed(instruction, now)
        self._instruction = instruction
        if instruction.listen is None:
            self._pace = Pace()  # the next to speak may be somebody else
        if instruction.say or instruction.tone:
            self._do(State.SPEAKING, now + SENTENCE_SECONDS)
            self._interruption = Interruption()
            return (Speak(instruction.say, "listening" if instruction.tone else None, instruction.voice),)
        return self._turn_over(now)

    def heard(
        self, probability: float, at_seconds: float, now: float, *, voiced: bool, woke: WakeHeard | None = None
    ) -> Acts:
        """Take the next chunk.

        Args:
            probability: That somebody else than the room speaks in it, 0 to 1.
            at_seconds: Stream time of its first sample.
            now: The time.
            voiced: Whether it has a voice's pitch; looked at while the room speaks.
            woke: The wake word, if it has just been heard.
        """
        if self._deaf:
            return ()
        self._recent.append((probability, at_seconds))
        self._notice_going_on(probability, at_seconds)
        if woke is not None and self.awaits_wake_word:
            return self._woken(woke, now)
        if self._doing is State.SPEAKING:
            return self._await_interruption(probability, now, voiced=voiced)
        if self._endpointer is None or self._doing is State.DECIDING:
            return ()
        return self._await_utterance(self._endpointer, probability, at_seconds, now)

    def began(self, seconds: float, now: float) -> None:
        """A sentence began to be played that lasts so long."""
        if self._doing is State.SPEAKING:
            self._limit = now + seconds + SENTENCE_SECONDS

    def played(self, now: float) -> Acts:
        """Everything was played."""
        return self._turn_over(now) if self._doing is State.SPEAKING else ()

    def decoded(
        self, decode: Decode, heard: SpeechHeard | None, now: float, *, is_noise: bool = False, is_whole: bool = True
    ) -> Acts:
        """Take what was made of an utterance.

        Args:
            decode: What was asked for.
            heard: What was said; None: the engine failed.
            now: The time.
            is_noise: It has no pitch, so that it is nobody's word.
            is_whole: Nothing can be added to it that would change its meaning.
        """
        understood = heard is not None and heard.accepted
        if not decode.final:
            if heard is None or not understood:
                return ()
            if not is_whole:
                self._more = decode, heard
                return ()
            self._ended_seconds = decode.speech_end_seconds
            return self._ask(heard, now)
        if decode.listen is None:
            return (
                self._wait()
                if is_noise or heard is None or not (heard.text or heard.safety or heard.words)
                else self._ask(heard, now)
            )
        if is_noise and not understood and self._noises < NOISES:
            self._noises += 1
            return self._listen_on(now)
        return self._ask(heard if heard is not None else NothingHeard(turn=self.turn), now)

    def deafen(self, why: Deafness, now: float) -> Acts:
        """Nothing is heard any more. What is being said is said to its end; who was listened to has not answered."""
        if why in self._deaf:
            return ()
        self._deaf.add(why)
        self._recent.clear()
        self._endpointer = None
        self._interrupted = False
        if self._doing is State.LISTENING:
            self._limit = now + (self._instruction.listen.patience_seconds if self._instruction.listen else 0.0)
        return self._tell_hearing()

    def undeafen(self, why: Deafness, now: float) -> Acts:
        """What made the room deaf is over; it may be deaf for another reason still."""
        if why not in self._deaf:
            return ()
        self._deaf.discard(why)
        told = self._tell_hearing()
        if self._deaf:
            return told
        if self._doing is State.LISTENING:
            return *told, *self._listen_on(now)
        return *told, *(self._wait() if self._doing is State.WAITING else ())

    def tick(self, now: float) -> Acts:
        """End what has lasted too long."""
        if now < self._limit:
            return ()
        if self._doing is State.SPEAKING:
            return Hush(), *self._turn_over(now)
        if self._doing is State.LISTENING:
            return self._ask(NothingHeard(turn=self.turn), now)
        return self._wait()

    def _foremost(self) -> Deafness:
        """Return the reason for being deaf that matters most."""
        return min(self._deaf, key=tuple(_SHOWN).index)

    def _tell_hearing(self) -> Acts:
        """Report whether the room hears, and if not, the reason that matters most; each change once."""
        why = self._foremost() if self._deaf else None
        if why == self._told:
            return ()
        self._told = why
        return (Tell(Hearing(state="ok", reason="recovered") if why is None else _REASONS[why]),)

    def _do(self, state: State, limit: float = float("inf")) -> None:
        self._doing, self._limit = state, limit
        self._interrupted = False
        self._more = None

    def _turn_over(self, now: float) -> Acts:
        """Nothing is left to say: listen, or wait for the wake word."""
        following, self._next = self._next, None
        if following is not None:
            self._do(State.WAITING)
            return self.instructed(following, now)
        listen = self._instruction.listen
        if listen is None:
            return self._wait()
        self._noises = 0
        self._opened_seconds = None
        return self._listen_on(now)

    def _listen_on(self, now: float) -> Acts:
        """Listen for the utterance of this turn, or go on doing so after a noise."""
        listen = self._instruction.listen
        if listen is None:
            return self._wait()
        interrupted = self._interrupted
        limit = now + listen.patience_seconds if self._deaf else float("inf")
        self._do(State.LISTENING, limit)
        self._interrupted = interrupted
        self._endpointer = None if self._deaf else Endpointer(self._limits(self._patience_seconds(listen)))
        return ()

    def _patience_seconds(self, listen: Listen) -> float:
        """Return for how long somebody may still begin to speak: noises before did not buy more of it."""
        if self._opened_seconds is None or not self._recent:
            return listen.patience_seconds
        return max(listen.patience_seconds - (self._recent[-1][1] - self._opened_seconds), LEAST_PATIENCE_SECONDS)

    def _limits(self, patience_seconds: float) -> EndpointLimits:
        return EndpointLimits(
            no_speech_seconds=patience_seconds,
            end_silence_seconds=self._pace.end_silence_seconds,
            probe_silence_seconds=self._pace.probe_silence_seconds,
        )

    def _wait(self) -> Acts:
        self._do(State.WAITING)
        dictates = self._instruction.dictation and not self._deaf
        self._endpointer = Endpointer(EndpointLimits(no_speech_seconds=DICTATION_SECONDS)) if dictates else None
        return ()

    def _ask(self, perception: WakeHeard | SpeechHeard | NothingHeard, now: float) -> Acts:
        """Report, and wait for what follows."""
        self._do(State.DECIDING, now + REPLY_SECONDS)
        self._endpointer = None
        return (Tell(perception),)

    def _woken(self, woke: WakeHeard, now: float) -> Acts:
        self._next = None
        return *((Hush(),) if self._doing is State.SPEAKING else ()), *self._ask(woke, now)

    def _await_interruption(self, probability: float, now: float, *, voiced: bool) -> Acts:
        is_enough = self._interruption.feed(probability, voiced=voiced, guarded=self._instruction.guarded)
        if self._instruction.listen is None or not is_enough:
            return ()
        self._next = None
        acts = (Hush(), *self._turn_over(now))
        self._interrupted = True
        # What was heard since before the interruption was noticed is the beginning of the utterance.
        for before, at_seconds in self._recent:
            acts = (*acts, *self._feed(before, at_seconds, now))
        return acts

    def _feed(self, probability: float, at_seconds: float, now: float) -> Acts:
        if self._endpointer is None:
            return ()
        return self._await_utterance(self._endpointer, probability, at_seconds, now)

    def _await_utterance(self, endpointer: Endpointer, probability: float, at_seconds: float, now: float) -> Acts:
        if self._opened_seconds is None:
            self._opened_seconds = at_seconds
        listen = self._instruction.listen if self._doing is State.LISTENING else None
        if self._more is not None and probability >= SILENCE_PROBABILITY:
            self._more = None
        if self._more is not None and self._nothing_followed(self._more[0], at_seconds):
            self._ended_seconds = self._more[0].speech_end_seconds
            return self._ask(self._more[1], now)
        match endpointer.feed(probability, at_seconds):
            case Ended() as ended:
                self._pace = self._pace.after(ended.pause_seconds)
                self._ended_seconds = ended.speech_end_seconds
                self._endpointer = None
                if self._doing is State.LISTENING:
                    self._do(State.DECIDING, now + REPLY_SECONDS)
                short = ended.speech_seconds <= NOISE_SPEECH_SECONDS
                return (_decode(ended, listen, short=short),)
            case Paused() as paused if listen is not None:
                return (_decode(paused, listen),)
            case TimedOut():
                return self._ask(NothingHeard(turn=self.turn), now) if listen is not None else self._wait()
            case Started() | Paused() | None:
                pass
        if self._has_listened_too_long(at_seconds, listen):
            return self._ask(NothingHeard(turn=self.turn), now)
        return ()

    def _nothing_followed(self, decode: Decode, at_seconds: float) -> bool:
        """Tell whether the words that could have followed an answer did not come."""
        return at_seconds + CHUNK_SECONDS - decode.speech_end_seconds >= self._pace.more_silence_seconds

    def _has_listened_too_long(self, at_seconds: float, listen: Listen | None) -> bool:
        """Tell whether noises have kept a turn open for longer than its patience and the longest utterance."""
        if listen is None or self._opened_seconds is None:
            return False
        return at_seconds - self._opened_seconds > listen.patience_seconds + 2 * EndpointLimits().longest_seconds

    def _notice_going_on(self, probability: float, at_seconds: float) -> None:
        """Learn from somebody who speaks on although the room took them for done."""
        if self._ended_seconds is None or self._doing is State.LISTENING:
            return
        gap = at_seconds - self._ended_seconds
        if gap > self._pace.end_silence_seconds + GOES_ON_SECONDS:
            self._ended_seconds = None
        elif probability >= SPEECH_PROBABILITY and gap > 0:
            self._pace = self._pace.after(gap)
            self._ended_seconds = None


def _decode(span: Ended | Paused, listen: Listen | None, *, short: bool = False) -> Decode:
    final = isinstance(span, Ended)
    return Decode(span.start_seconds, span.end_seconds, span.speech_end_seconds, listen, final, short)
