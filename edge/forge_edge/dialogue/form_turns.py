"""The turns of a form: what is said and listened for while one is filled in, by voice or by hand. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from forge_edge.dialogue.sentences import NO_HUB, SENDING, TELLING
from forge_edge.dialogue.turn import Conversation, Reaction, listening, resting
from forge_edge.forms import interview as interviews
from forge_edge.forms import touch
from forge_edge.forms.asked import AskedForm
from forge_edge.forms.state import FormState, How
from forge_edge.forms.steps import Step
from forge_edge.messages import SpeechHeard
from forge_edge.observations import RequestObserved
from forge_edge.speech.grammar import DICTATION, Meaning, Vocabulary
from forge_shared.events import Mode, RequestCode

ANSWER_PATIENCE_SECONDS = 15.0
"""People who are low or in pain answer slowly; a question about two weeks takes thought."""


class FormTurns:
    """The forms that a room offers, turn by turn. Keeps no state of its own: that is `Conversation.interview`.

    Args:
        forms: Them, by id.
    """

    def __init__(self, forms: Mapping[str, AskedForm]) -> None:
        self._forms = forms

    def of(self, state: FormState) -> AskedForm:
        """Return the form that ``state`` is one of."""
        return self._forms[state.form_id]

    def is_offered(self, state: FormState) -> bool:
        """Tell whether the form is still the one that was begun: in another its answers would mean something else."""
        form = self._forms.get(state.form_id)
        return form is not None and form.form.canonical == state.canonical

    def vocabulary(self, state: FormState) -> Vocabulary:
        """Return what may be said now."""
        return interviews.vocabulary(self.of(state), state)

    def begin(self, before: Conversation, form_id: str, *, now: datetime, new_id: str) -> Reaction:
        """Begin a form by voice, or go on with the one in progress."""
        if before.interview is not None:
            return self.resume(before, before.interview)
        return self.follow(before, interviews.begin(self._forms[form_id], new_id, now))

    def resume(self, before: Conversation, state: FormState) -> Reaction:
        """Go on with a form by voice."""
        return self.follow(before, interviews.resume(self.of(state), state))

    def stop(self, before: Conversation, state: FormState) -> Reaction:
        """End a form before its end."""
        return self.follow(before, interviews.stop(self.of(state), state))

    def silence(self, before: Conversation, state: FormState) -> Reaction:
        """React to silence after a question."""
        if state.led != "voice":
            return resting(before)  # somebody answers on the screen: nobody asks them to speak
        return self.follow(before, interviews.silence(self.of(state), state))

    def ask_again(self, before: Conversation, state: FormState) -> Reaction:
        """Go on waiting for the answer, and ask again where it is spoken."""
        if state.led != "voice":
            return self._by_hand(before, Step(state), hub=True)
        return self.follow(before, interviews.ask_again(self.of(state), state))

    def answer(
        self, before: Conversation, state: FormState, heard: SpeechHeard, *, now: datetime, hub: bool
    ) -> Reaction:
        """React to what was said in answer to a question."""
        form = self.of(state)
        vocabulary = self.vocabulary(state)
        guess = vocabulary.meaning(heard.text)
        meaning = guess if heard.accepted else None
        if meaning is not None and meaning.kind == "request":
            return self.call(before, state, cast("RequestCode", meaning.code), hub=hub)
        if guess is None and heard.text and interviews.takes_dictation(form, state):
            # In own words whatever was said is the answer; what the engine doubts is read back as a guess is.
            guess = Meaning("answer", heard.text)
            meaning = guess if heard.accepted else None
        if heard.doubted and guess is not None and guess.kind == "answer":
            # Every answer is read back before it is stored, so a probable one is asked about in the same words.
            meaning = guess
        how = How(mode="voice", language=form.form.language, engine=heard.engine, confidence=heard.confidence)
        step = interviews.hear(form, state, meaning, now=now, guess=guess, how=how)
        return self.follow(before, step, hub=hub)

    def call(
        self, before: Conversation, state: FormState, request: RequestCode, *, hub: bool, mode: Mode = "voice"
    ) -> Reaction:
        """React to a call for somebody in the middle of a form: it is made, and the form goes on."""
        step = interviews.ask_again(self.of(state), state)
        called = RequestObserved(request=request, mode=mode)
        sentence = SENDING[request] if hub else NO_HUB
        return self.follow(before, Step(step.state, (sentence, *step.say), (called, *step.observations)))

    def follow(self, before: Conversation, step: Step, *, hub: bool = True) -> Reaction:
        """Return the turn that a step of a form leads to by voice."""
        after = before.model_copy(update={"interview": step.interview})
        say = ((TELLING if hub else NO_HUB), *step.say) if step.told else step.say
        if step.interview is None or step.paused:
            return resting(after, say=say, observations=step.observations)
        vocabulary = self.vocabulary(step.interview)
        if interviews.takes_dictation(self.of(step.interview), step.interview):
            vocabulary = Vocabulary(DICTATION, vocabulary.meanings)
        return listening(after, "form", say, vocabulary, ANSWER_PATIENCE_SECONDS, observations=step.observations)

    def shown(self, now: Conversation) -> touch.View | None:
        """Return what a screen shows of the form in progress; None where there is none."""
        state = now.interview
        return touch.view(self.of(state), state) if state is not None else None

    def aloud(self, now: Conversation) -> tuple[str, ...]:
        """Return what the room would say to ask its question once more; nothing where it asks none."""
        state = now.interview
        if state is None or state.at is None:
            return ()
        return interviews.ask_again(self.of(state), state).say

    def touched_begin(self, before: Conversation, form_id: str, *, now: datetime, new_id: str) -> Reaction:
        """Begin a form on the screen, or go on with the one in progress; whose form it is has been checked."""
        if before.interview is not None:
            return self.touched(before, touch.Repeat(), now=now)
        return self._by_hand(before, touch.begin(self._forms[form_id], new_id, now), hub=True)

    def touched(
        self,
        before: Conversation,
        action: touch.Action,
        *,
        now: datetime,
        hub: bool = True,
        hand: touch.Hand = "touch",
    ) -> Reaction:
        """React to a tap on the form in progress; without one nothing changes.

        The room falls silent and goes on listening for the same question, so that the next answer may be spoken again.

        Args:
            before: Where the dialogue stands.
            action: What was tapped.
            now: Time of the decision.
            hub: Whether the hub is known to be listening.
            hand: Whose hand it was.
        """
        state = before.interview
        if state is None:
            return Reaction(before, None)
        return self._by_hand(before, touch.touched(self.of(state), state, action, now=now, hand=hand), hub=hub)

    def _by_hand(self, before: Conversation, step: Step, *, hub: bool) -> Reaction:
        after = before.model_copy(update={"interview": step.interview})
        say = ((TELLING if hub else NO_HUB),) if step.told else ()
        if step.refused is not None:
            return Reaction(after, None, refused=step.refused)
        if step.interview is None or step.paused or before.activity not in ("idle", "form", "resume"):
            return resting(after, say=say, observations=step.observations)
        vocabulary = self.vocabulary(step.interview)
        return listening(after, "form", say, vocabulary, ANSWER_PATIENCE_SECONDS, observations=step.observations)
