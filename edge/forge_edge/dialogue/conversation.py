"""What the room does about what it heard: pure decisions, one step at a time.

Never decided by a language model. The room says that something is on its way only as far as that is known: a request is
"sent" when the hub has it, help is "coming" when a person has taken it, and without a hub the room points to the call
button.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from forge_edge.forms import interview as interviews
from forge_edge.forms.interview import Interview, Step
from forge_edge.messages import Instruction, Listen, NothingHeard, SpeechHeard, WakeHeard
from forge_edge.observations import Observation, RequestObserved, UtteranceHeard
from forge_edge.speech.grammar import Meaning, Vocabulary, confirmation, requests, resumption
from forge_shared.events import RequestCode
from forge_shared.forms.questionnaire import Questionnaire
from forge_shared.model import Frozen

REQUEST_PATIENCE_SECONDS = 8.0
ANSWER_PATIENCE_SECONDS = 15.0
"""People who are low or in pain answer slowly; a question about two weeks takes thought."""

NO_HUB = "I cannot reach the staff from here right now. Please press the call button."
TELLING = "Thank you for telling me. I am letting the staff know. If you feel unsafe, press the call button."
ACCEPTED = "Help is coming. A member of the staff has taken your call."
"""The only promise that the room makes, and only when the hub says that a person has accepted an alert of this room."""
REOPENED = "I am asking the staff again. You can also press the call button."
"""Takes the promise back, when that person gave the alert back or did not come in time."""
WHO = "Is it the patient of this room who speaks? Please say yes or no."
NOT_THE_PATIENT = "Thank you. Then I will not start the form."
NOBODYS_ROOM = "I do not know whose room this is, so I cannot start a form. You can ask the staff."
NOT_LISTENING = "I am not listening any more. Use the call button."
SESSION_ON = "The recorded session is on. What you say is now written down."
SESSION_OFF = "The recorded session is off."

_SENDING: dict[str, str] = {
    "water": "I am telling the staff that you would like some water.",
    "nurse": "I am telling the staff that you asked for a nurse.",
    "pain": "I am telling the staff that you are in pain. You can also press the call button.",
    "help": "I am telling the staff that you need help. Press the call button too, if you can.",
}
_OFFER = "You can say: water, nurse, pain, help, or: I want to fill in my form."


Speaker = Literal["assumed", "asked", "unknown"]
"""Who speaks: the one person who lives here; perhaps someone else, so that it is asked; or nobody knows whose room it
is, and then nothing personal begins."""


class Conversation(Frozen):
    """Where the dialogue stands; saved after every step.

    Attributes:
        activity: What the room waits for: its wake word, a request, whether it heard a request right, an answer in a
            form, whether to go on with one, or who speaks.
        tries: Requests in a row that were not understood.
        doubted: The request that was heard without certainty and is being asked about.
        interview: The form in progress, also while it is paused.
        turn: Number of the last turn.
        session: The recorded session that is on.
        speaker: What is known of who speaks.
    """

    activity: Literal["idle", "request", "doubt", "form", "resume", "who"] = "idle"
    tries: int = 0
    doubted: str | None = None
    interview: Interview | None = None
    turn: int = 0
    session: str | None = None
    speaker: Speaker = "assumed"


@dataclass(frozen=True, slots=True)
class Reaction:
    """The new state, what the ears shall do next, and what was observed on the way.

    Without an instruction the ears go on with what they are doing; ``later`` is to be said before the next sentence.
    """

    conversation: Conversation
    instruction: Instruction | None
    observations: tuple[Observation, ...] = ()
    later: tuple[str, ...] = ()


class Dialogue:
    """The rules of the conversation, with the forms that this room offers. Pure: it keeps no state of its own.

    Args:
        forms: Questionnaires by id; ``form_id`` names the one that "my form" means.
        form_id: The room's form.
    """

    def __init__(self, forms: dict[str, Questionnaire], form_id: str) -> None:
        self._forms = forms
        self._form_id = form_id

    def start(self, before: Conversation) -> Reaction:
        """React to a start of the node: offer to go on with a form that was interrupted."""
        if before.interview is None:
            return self._rest(before)
        form = self._forms.get(before.interview.form_id)
        if form is None or form.canonical != before.interview.canonical:
            # The form was replaced meanwhile: its answers would mean something else now.
            return self._rest(before.model_copy(update={"interview": None}))
        # That there is a form is nobody else's business: where others may be, the patient must ask for it.
        return self._offer_resume(before) if before.speaker == "assumed" else self._rest(before)

    def wake(self, before: Conversation, _: WakeHeard) -> Reaction:
        """React to the wake word."""
        if before.interview is not None and before.speaker == "assumed":
            return self._offer_resume(before)
        return self._listen(before, "request", (), requests(), REQUEST_PATIENCE_SECONDS, tries=0, tone=True)

    def speech(  # noqa: PLR0911, C901 (one return for each thing the room may be waiting for)
        self, before: Conversation, heard: SpeechHeard, *, now: datetime, new_id: str, hub: bool
    ) -> Reaction:
        """React to an utterance.

        Args:
            before: Where the dialogue stands.
            heard: What the ears made of it.
            now: Time of the decision.
            new_id: A fresh id, used if this begins a form.
            hub: Whether the hub is known to be listening.
        """
        if heard.turn is None:
            return self._rest(before, observations=_taken_down(before, heard))
        if heard.turn != before.turn:
            return self._stay(before)
        if before.activity == "form" and before.interview is not None:
            form = self._forms[before.interview.form_id]
            vocabulary = interviews.vocabulary(form, before.interview)
            meaning = _meaning(vocabulary, heard)
            if meaning is not None and meaning.kind == "request":
                return self._call_in_form(before, before.interview, meaning, hub=hub)
            guess = vocabulary.meaning(heard.text)
            if heard.doubted and guess is not None and guess.kind == "answer":
                # Every answer is read back before it is stored, so a probable one is asked about in the same words.
                meaning = guess
            step = interviews.hear(form, before.interview, meaning, guess=guess)
            return self._form(before, step, hub=hub)
        if before.activity == "resume":
            meaning = _meaning(resumption(), heard)
            if meaning is None or meaning.kind != "request" or meaning.code == "form":
                return self._resume(before, meaning)
            return self._request(before, meaning, now=now, new_id=new_id, hub=hub)
        if before.activity == "who":
            meaning = _meaning(resumption(), heard)
            if meaning is None or meaning.kind != "request" or meaning.code == "form":
                return self._answered_who(before, meaning, now=now, new_id=new_id)
            return self._request(before, meaning, now=now, new_id=new_id, hub=hub)
        if before.activity == "doubt":
            return self._doubted(before, _meaning(confirmation(), heard), now=now, new_id=new_id, hub=hub)
        meaning = _meaning(requests(), heard)
        if meaning is None and before.tries > 0 and heard.text in requests().meanings:
            return self._doubt(before, heard.text)
        return self._request(before, meaning, now=now, new_id=new_id, hub=hub)

    def nothing(self, before: Conversation, heard: NothingHeard) -> Reaction:
        """React to silence where something was expected."""
        if heard.turn != before.turn:
            return self._stay(before)
        if before.activity == "form" and before.interview is not None:
            form = self._forms[before.interview.form_id]
            return self._form(before, interviews.silence(form, before.interview))
        if before.activity == "resume" and before.tries == 0:
            return self._resume(before, None)
        if before.activity == "who" and before.tries == 0:
            return self._ask_who(before, tries=1)
        return self._rest(before)

    def announce(self, before: Conversation, sentences: tuple[str, ...], *, tone: bool = False) -> Reaction:
        """Say something that nobody asked for, with a tone if it is urgent. Only while the room waits for its word."""
        return self._rest(before, say=sentences, tone=tone)

    def session(self, before: Conversation, session: str | None) -> Reaction:
        """A recorded session is switched on or off, and the room says so.

        While somebody is in the middle of answering that goes on, and it is said with the room's next sentence.
        """
        after = before.model_copy(update={"session": session})
        sentence = SESSION_ON if session else SESSION_OFF
        if before.activity != "idle":
            return Reaction(after, None, later=(sentence,))
        return self._rest(after, say=(sentence,))

    def _request(
        self, before: Conversation, meaning: Meaning | None, *, now: datetime, new_id: str, hub: bool
    ) -> Reaction:
        if meaning is None:
            if before.tries == 0:
                sorry = ("Sorry, I did not understand.", _OFFER)
                return self._listen(before, "request", sorry, requests(), REQUEST_PATIENCE_SECONDS, tries=1)
            return self._rest(before, say=("Sorry, I did not understand. If you need someone, press the call button.",))
        if meaning.code == "form":
            return self._wish_for_form(before, now=now, new_id=new_id)
        if meaning.kind == "request":
            sentence = _SENDING[meaning.code] if hub else NO_HUB
            code = cast("RequestCode", meaning.code)
            return self._rest(before, say=(sentence,), observations=(RequestObserved(request=code, mode="voice"),))
        return self._rest(before)

    def _wish_for_form(self, before: Conversation, *, now: datetime, new_id: str) -> Reaction:
        if before.speaker == "unknown":
            return self._rest(before, say=(NOBODYS_ROOM,))
        if before.speaker == "asked":
            return self._ask_who(before)
        return self._begin(before, now=now, new_id=new_id)

    def _begin(self, before: Conversation, *, now: datetime, new_id: str) -> Reaction:
        if before.interview is not None:
            return self._form(before, interviews.resume(self._forms[before.interview.form_id], before.interview))
        return self._form(before, interviews.begin(self._forms[self._form_id], new_id, now))

    def _ask_who(self, before: Conversation, *, tries: int = 0) -> Reaction:
        return self._listen(before, "who", (WHO,), resumption(), ANSWER_PATIENCE_SECONDS, tries=tries)

    def _answered_who(self, before: Conversation, meaning: Meaning | None, *, now: datetime, new_id: str) -> Reaction:
        if meaning is not None and meaning.code == "yes":
            return self._begin(before, now=now, new_id=new_id)
        if (meaning is None or meaning.code == "form") and before.tries == 0:
            return self._ask_who(before, tries=1)
        return self._rest(before, say=(NOT_THE_PATIENT,))

    def _doubt(self, before: Conversation, phrase: str) -> Reaction:
        after = before.model_copy(update={"doubted": phrase})
        question = (f"Did you say: {phrase}? Please say yes or no.",)
        return self._listen(after, "doubt", question, confirmation(), REQUEST_PATIENCE_SECONDS)

    def _doubted(
        self, before: Conversation, meaning: Meaning | None, *, now: datetime, new_id: str, hub: bool
    ) -> Reaction:
        after = before.model_copy(update={"doubted": None})
        if meaning is not None and meaning.code == "yes" and before.doubted is not None:
            return self._request(after, requests().meaning(before.doubted), now=now, new_id=new_id, hub=hub)
        if meaning is not None and meaning.kind == "request":
            return self._request(after, meaning, now=now, new_id=new_id, hub=hub)
        return self._rest(after, say=("Sorry. Call me again, or press the call button if you need someone.",))

    def _form(self, before: Conversation, step: Step, *, hub: bool = True) -> Reaction:
        after = before.model_copy(update={"interview": step.interview})
        say = ((TELLING if hub else NO_HUB), *step.say) if step.told else step.say
        if step.interview is None or step.paused:
            return self._rest(after, say=say, observations=step.observations)
        vocabulary = interviews.vocabulary(self._forms[step.interview.form_id], step.interview)
        return self._listen(after, "form", say, vocabulary, ANSWER_PATIENCE_SECONDS, observations=step.observations)

    def _call_in_form(self, before: Conversation, interview: Interview, meaning: Meaning, *, hub: bool) -> Reaction:
        step = interviews.ask_again(self._forms[interview.form_id], interview)
        called = RequestObserved(request=cast("RequestCode", meaning.code), mode="voice")
        sentence = _SENDING[meaning.code] if hub else NO_HUB
        return self._form(before, Step(step.interview, (sentence, *step.say), (called, *step.observations)))

    def _stay(self, before: Conversation) -> Reaction:
        """Answer a report that belongs to an older turn: whatever the room waits for now, it goes on waiting for."""
        if before.activity == "form" and before.interview is not None:
            return self._form(before, interviews.ask_again(self._forms[before.interview.form_id], before.interview))
        if before.activity == "resume":
            return self._offer_resume(before)
        if before.activity == "who":
            return self._ask_who(before)
        return self._rest(before)

    def _offer_resume(self, before: Conversation) -> Reaction:
        question = ("Do you want to continue your form? Please say yes or no.",)
        return self._listen(before, "resume", question, resumption(), ANSWER_PATIENCE_SECONDS, tries=0)

    def _resume(self, before: Conversation, meaning: Meaning | None) -> Reaction:
        if before.interview is None:
            return self._rest(before)
        form = self._forms[before.interview.form_id]
        if meaning is not None and meaning.code in ("yes", "form"):
            return self._form(before, interviews.resume(form, before.interview))
        if meaning is not None and meaning.code in ("no", "stop"):
            # The answers so far are kept and sent; a new form starts afresh. The room listens for what else is needed.
            reaction = self._form(before, interviews.stop(form, before.interview))
            return self._listen(
                reaction.conversation,
                "request",
                (*(reaction.instruction.say if reaction.instruction else ()), _OFFER),
                requests(),
                REQUEST_PATIENCE_SECONDS,
                observations=reaction.observations,
            )
        if before.tries == 0:
            question = ("Sorry, I did not understand. Do you want to continue your form? Please say yes or no.",)
            return self._listen(before, "resume", question, resumption(), ANSWER_PATIENCE_SECONDS, tries=1)
        return self._rest(before, say=("I will keep your form. Call me when you want to go on.",))

    def _listen(  # noqa: PLR0913 (one place that builds a listening turn)
        self,
        before: Conversation,
        activity: Literal["request", "doubt", "form", "resume", "who"],
        say: tuple[str, ...],
        vocabulary: Vocabulary,
        patience_seconds: float,
        *,
        tries: int = 0,
        tone: bool = False,
        observations: tuple[Observation, ...] = (),
    ) -> Reaction:
        after = before.model_copy(update={"activity": activity, "tries": tries, "turn": before.turn + 1})
        grammar = vocabulary.grammar
        listen = Listen(
            grammar=grammar.name, phrases=grammar.phrases, senses=grammar.senses, patience_seconds=patience_seconds
        )
        instruction = Instruction(
            turn=after.turn, say=say, tone=tone, listen=listen, dictation=after.session is not None
        )
        return Reaction(after, instruction, observations)

    def _rest(
        self,
        before: Conversation,
        *,
        say: tuple[str, ...] = (),
        observations: tuple[Observation, ...] = (),
        tone: bool = False,
    ) -> Reaction:
        after = before.model_copy(update={"activity": "idle", "tries": 0, "turn": before.turn + 1})
        instruction = Instruction(turn=after.turn, say=say, tone=tone, dictation=after.session is not None)
        return Reaction(after, instruction, observations)


def _meaning(vocabulary: Vocabulary, heard: SpeechHeard) -> Meaning | None:
    return vocabulary.meaning(heard.text) if heard.accepted else None


def _taken_down(before: Conversation, heard: SpeechHeard) -> tuple[Observation, ...]:
    if before.session is None or not heard.text:
        return ()
    return (UtteranceHeard(text=heard.text, confidence=heard.confidence),)
