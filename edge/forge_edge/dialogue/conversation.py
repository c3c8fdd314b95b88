"""What the room does about what it heard: pure decisions, one step at a time.

Never decided by a language model. The room says that something is on its way only as far as that is known: a request is
"sent" when the hub has it, help is "coming" when a person has taken it, and without a hub the room points to the call
button.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import cast

from forge_edge.dialogue import (
    crisis,
    exercise,
    exercising,
    fall_check,
    identity,
    reminding,
    room_answers,
    voice_choice,
)
from forge_edge.dialogue.form_turns import ANSWER_PATIENCE_SECONDS, FormTurns
from forge_edge.dialogue.sentences import (
    ACCEPTED,
    NO_HUB,
    NOBODYS_ROOM,
    NOT_LISTENING,
    NOT_THE_PATIENT,
    NOT_THE_PIN,
    NOTHING_SAID,
    OFFER,
    REOPENED,
    SENDING,
    SESSION_OFF,
    SESSION_ON,
    TELLING,
    WHO,
)
from forge_edge.dialogue.turn import Conversation, Reaction, Speaker, listening, resting, taken_down, with_sentence
from forge_edge.forms.asked import AskedForm
from forge_edge.messages import NothingHeard, SpeechHeard, WakeHeard
from forge_edge.observations import Observation, RequestObserved
from forge_edge.speech.grammar import Meaning, Vocabulary, confirmation, requests, resumption
from forge_edge.speech.wishes import EXERCISES, VOICE_WISHES
from forge_shared.events import Mode, RequestCode
from forge_shared.forms.questionnaire import Questionnaire
from forge_shared.plan import RoomPlan

__all__ = [
    "ACCEPTED",
    "NOBODYS_ROOM",
    "NOT_LISTENING",
    "NOT_THE_PATIENT",
    "NO_HUB",
    "REOPENED",
    "SESSION_OFF",
    "SESSION_ON",
    "TELLING",
    "WHO",
    "Conversation",
    "Dialogue",
    "Reaction",
    "Speaker",
]

REQUEST_PATIENCE_SECONDS = 8.0


class Dialogue:
    """The rules of the conversation, with the forms that this room offers. Pure: it keeps no state of its own.

    Args:
        forms: Questionnaires by id; ``form_id`` names the one that "my form" means.
        form_id: The room's form.
        plan: What the staff have set for the room.
        zone: Time zone of the room.
        dictation: Whether the room's engine takes down free speech.
        screen: Whether there is a screen on which a form can be answered.

    Attributes:
        forms: What a form does, turn by turn.
    """

    def __init__(  # noqa: PLR0913 (what a room is)
        self,
        forms: Mapping[str, Questionnaire],
        form_id: str,
        plan: RoomPlan | None = None,
        *,
        zone: tzinfo = UTC,
        dictation: bool = False,
        screen: bool = False,
    ) -> None:
        self.forms = FormTurns(
            {name: AskedForm(form, zone=zone, dictation=dictation, screen=screen) for name, form in forms.items()}
        )
        self._form_id = form_id
        self._plan = plan or RoomPlan()

    def start(self, before: Conversation) -> Reaction:
        """React to a start of the node: offer to go on with a form that was interrupted."""
        if before.interview is None:
            return self._rest(before)
        if not self.forms.is_offered(before.interview):
            return self._rest(before.model_copy(update={"interview": None}))
        # That there is a form is nobody else's business: where others may be, the patient must ask for it.
        return self._offer_resume(before) if before.speaker == "assumed" else self._rest(before)

    def wake(self, before: Conversation, _: WakeHeard) -> Reaction:
        """React to the wake word."""
        if before.interview is not None and before.speaker == "assumed":
            return self._offer_resume(before)
        return self._listen(before, "request", (), requests(), REQUEST_PATIENCE_SECONDS, tries=0, tone=True)

    def speech(self, before: Conversation, heard: SpeechHeard, *, now: datetime, new_id: str, hub: bool) -> Reaction:
        """React to an utterance.

        Args:
            before: Where the dialogue stands.
            heard: What the ears made of it.
            now: Time of the decision.
            new_id: A fresh id, used if this begins a form.
            hub: Whether the hub is known to be listening.
        """
        in_turn = heard.turn is not None and heard.turn == before.turn
        texts = crisis.texts(heard, self._vocabulary(before).meanings if in_turn else ())
        danger = crisis.assess(
            texts, before.raised, mode="voice", now=now, hub=hub, recorded=before.session is not None
        )
        if danger is None:
            return self._understand(before, heard, now=now, new_id=new_id, hub=hub)
        after = before.model_copy(update={"raised": danger.raised})
        if danger.sentence is not None:
            return self._alarmed(after, danger, danger.sentence, taken_down(before, heard))
        reaction = self._understand(after, heard, now=now, new_id=new_id, hub=hub)
        return replace(reaction, observations=(*danger.observations, *reaction.observations))

    def written(self, before: Conversation, text: str, *, mode: Mode, now: datetime, hub: bool) -> Reaction | None:
        """React to what was written or touched, if it names a danger; None: it is for whoever asked for it alone.

        Args:
            before: Where the dialogue stands.
            text: What was written, or the words of what was touched.
            mode: How.
            now: Time of the decision.
            hub: Whether the hub is known to be listening.
        """
        recorded = before.session is not None
        danger = crisis.assess((text,), before.raised, mode=mode, now=now, hub=hub, recorded=recorded)
        if danger is None:
            return None
        after = before.model_copy(update={"raised": danger.raised})
        if danger.sentence is None:
            return Reaction(after, None, danger.observations)
        return self._alarmed(after, danger, danger.sentence)

    def vouched(self, before: Conversation, pin: str, *, now: datetime, new_id: str) -> Reaction:
        """React to a PIN that was touched while the room asks who speaks: staff vouch for the person.

        Args:
            before: Where the dialogue stands.
            pin: What was touched.
            now: Time of the decision.
            new_id: A fresh id, used if this begins a form.
        """
        if before.activity != "who" or self._plan.staff_pin is None or before.wrong_pins >= identity.PIN_TRIES:
            return self._stay(before)
        after, right = self.is_staff(before, pin)
        if right:
            return self.forms.begin(after, self._form_id, now=now, new_id=new_id)
        return with_sentence(self._stay(after), NOT_THE_PIN)

    def is_staff(self, before: Conversation, pin: str) -> tuple[Conversation, bool]:
        """Tell whether a PIN is that of the staff; wrong ones are counted. Takes some 50 ms."""
        if self._plan.staff_pin is None or before.wrong_pins >= identity.PIN_TRIES:
            return before, False
        right = self._plan.staff_pin.matches(pin)
        return before.model_copy(update={"wrong_pins": 0 if right else before.wrong_pins + 1}), right

    def _understand(  # noqa: PLR0911 (one return for each thing the room may be waiting for)
        self, before: Conversation, heard: SpeechHeard, *, now: datetime, new_id: str, hub: bool
    ) -> Reaction:
        if heard.turn is None:
            return self._rest(before, observations=taken_down(before, heard))
        if heard.turn != before.turn:
            return self._stay(before)
        wished = _meaning(self._vocabulary(before), heard)
        if wished is not None and wished.code in VOICE_WISHES:
            return self._wish_for_voice(before, wished.code)
        if before.activity == "fall":
            if wished is not None and wished.kind == "request":
                return replace(self._request(before, wished, now=now, new_id=new_id, hub=hub), after_fall="hurt")
            return fall_check.heard(before, wished, hub=hub)
        if before.activity in ("exercise", "remind"):
            if wished is not None and wished.kind == "request":
                return self._request(before, wished, now=now, new_id=new_id, hub=hub)
            react = exercising.heard if before.activity == "exercise" else reminding.heard
            return react(before, wished.code if wished else None)
        return self._answered(before, heard, now=now, new_id=new_id, hub=hub)

    def _answered(  # noqa: PLR0911 (one return for each thing the room may be waiting for)
        self, before: Conversation, heard: SpeechHeard, *, now: datetime, new_id: str, hub: bool
    ) -> Reaction:
        if before.activity == "form" and before.interview is not None:
            return self.forms.answer(before, before.interview, heard, now=now, hub=hub)
        if before.activity == "resume":
            meaning = _meaning(resumption(), heard)
            if meaning is None or meaning.kind != "request" or meaning.code == "form":
                return self._resume(before, meaning)
            return self._request(before, meaning, now=now, new_id=new_id, hub=hub)
        if before.activity == "who":
            meaning = _meaning(identity.vocabulary(self._plan), heard)
            if meaning is None or meaning.kind != "request" or meaning.code == "form":
                return self._answered_who(before, heard, meaning, now=now, new_id=new_id)
            return self._request(before, meaning, now=now, new_id=new_id, hub=hub)
        if before.activity == "doubt":
            return self._doubted(before, _meaning(confirmation(), heard), now=now, new_id=new_id, hub=hub)
        meaning = _meaning(requests(), heard)
        if meaning is None and before.tries > 0 and heard.text in requests().meanings:
            return self._doubt(before, heard.text)
        return self._request(before, meaning, now=now, new_id=new_id, hub=hub)

    def nothing(self, before: Conversation, heard: NothingHeard, *, hub: bool) -> Reaction:  # noqa: PLR0911 (as above)
        """React to silence where something was expected; ``hub``: whether it is known to be listening."""
        if heard.turn != before.turn:
            return self._stay(before)
        if before.activity == "form" and before.interview is not None:
            return self.forms.silence(before, before.interview)
        if before.activity == "exercise":
            return exercising.silence(before)
        if before.activity == "fall":
            return fall_check.silence(before, hub=hub)
        if before.activity == "resume" and before.tries == 0:
            return self._resume(before, None)
        if before.activity == "who" and before.tries == 0:
            return self._ask_who(before, tries=1)
        return self._rest(before)

    def phrase(self, before: Conversation, code: str) -> str | None:
        """Return what could be said now to mean ``code``; None: nothing."""
        meanings = self._vocabulary(before).meanings
        return next((phrase for phrase, meaning in meanings.items() if meaning.code == code), None)

    def announce(
        self, before: Conversation, sentences: tuple[str, ...], *, tone: bool = False, repeatable: bool = True
    ) -> Reaction:
        """Say something that nobody asked for, with a tone if it is urgent. Only while the room waits for its word.

        What may not be true a moment later is not ``repeatable``: "say that again" does not bring it back.
        """
        reaction = self._rest(before, say=sentences, tone=tone)
        if repeatable:
            return reaction
        return replace(reaction, conversation=reaction.conversation.model_copy(update={"last_said": ()}))

    def session(self, before: Conversation, session: str | None) -> Reaction:
        """A recorded session is switched on or off, and the room says so.

        While somebody is in the middle of answering that goes on, and it is said with the room's next sentence.
        """
        after = before.model_copy(update={"session": session})
        sentence = SESSION_ON if session else SESSION_OFF
        if before.activity != "idle":
            return Reaction(after, None, later=(sentence,))
        return self._rest(after, say=(sentence,))

    def call(self, before: Conversation, request: RequestCode, *, hub: bool) -> Reaction:
        """React to a request that was made by touch: at once, whatever the room is doing."""
        if before.activity == "form" and before.interview is not None:
            return self.forms.call(before, before.interview, request, hub=hub, mode="touch")
        sentence = SENDING[request] if hub else NO_HUB
        after = before.model_copy(update={"doubted": None})
        return self._rest(after, say=(sentence,), observations=(RequestObserved(request=request, mode="touch"),))

    def wish_by_touch(self, before: Conversation, *, now: datetime, new_id: str) -> Reaction:
        """React to the wish for the form: who is there is asked as it is by voice."""
        if before.speaker == "unknown":
            return self._rest(before, say=(NOBODYS_ROOM,))
        by_word = self._plan.agreed_word is not None  # which no touch can say
        if before.speaker == "asked" and (by_word or before.activity != "who"):
            return self._ask_who(before)
        ready = before.model_copy(update={"activity": "idle", "doubted": None})
        return self.forms.touched_begin(ready, self._form_id, now=now, new_id=new_id)

    def _request(
        self, before: Conversation, meaning: Meaning | None, *, now: datetime, new_id: str, hub: bool
    ) -> Reaction:
        if meaning is None:
            if before.tries == 0:
                sorry = ("Sorry, I did not understand.", OFFER)
                return self._listen(before, "request", sorry, requests(), REQUEST_PATIENCE_SECONDS, tries=1)
            return self._rest(before, say=("Sorry, I did not understand. If you need someone, press the call button.",))
        if meaning.code == "form":
            return self._wish_for_form(before, now=now, new_id=new_id)
        if meaning.kind == "request":
            return self._ask_staff(before, cast("RequestCode", meaning.code), hub=hub)
        if meaning.kind == "wish":
            return self._wish(before, meaning.code, now=now, hub=hub)
        return self._rest(before)

    def _ask_staff(self, before: Conversation, code: RequestCode, *, hub: bool) -> Reaction:
        sentence = SENDING[code] if hub else NO_HUB
        return self._rest(before, say=(sentence,), observations=(RequestObserved(request=code, mode="voice"),))

    def _wish(self, before: Conversation, code: str, *, now: datetime, hub: bool) -> Reaction:
        if code in EXERCISES:
            return exercising.wished(before, code)
        done = room_answers.answer(code, self._plan, now=now, hub=hub)
        if done.request is not None:
            return self._ask_staff(before, done.request, hub=hub)
        return replace(self._rest(before, say=(done.say,)), ambience=done.ambience)

    def _wish_for_voice(self, before: Conversation, code: str) -> Reaction:
        """Sound otherwise, or say the last words again, and go on waiting for whatever the room waits for."""
        waits = before.activity not in ("idle", "request")
        if code == "say-again":
            return self._stay(before) if waits else self._rest(before, say=before.last_said or (NOTHING_SAID,))
        voice, sentence = voice_choice.adjusted(before.voice, code)
        after = before.model_copy(update={"voice": voice})
        return with_sentence(self._stay(after), sentence) if waits else self._rest(after, say=(sentence,))

    def _wish_for_form(self, before: Conversation, *, now: datetime, new_id: str) -> Reaction:
        if before.speaker == "unknown":
            return self._rest(before, say=(NOBODYS_ROOM,))
        if before.speaker == "asked":
            return self._ask_who(before)
        return self.forms.begin(before, self._form_id, now=now, new_id=new_id)

    def _ask_who(self, before: Conversation, *, tries: int = 0) -> Reaction:
        say = (identity.question(self._plan),)
        return self._listen(before, "who", say, identity.vocabulary(self._plan), ANSWER_PATIENCE_SECONDS, tries=tries)

    def _answered_who(
        self, before: Conversation, heard: SpeechHeard, meaning: Meaning | None, *, now: datetime, new_id: str
    ) -> Reaction:
        verdict = identity.verdict(self._plan, heard, meaning)
        if verdict == "patient":
            return self.forms.begin(before.model_copy(update={"wrong_pins": 0}), self._form_id, now=now, new_id=new_id)
        if verdict == "unclear" and before.tries + 1 < identity.tries(self._plan):
            return self._ask_who(before, tries=before.tries + 1)
        return self._rest(before, say=(identity.refusal(self._plan),))

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

    def _vocabulary(self, before: Conversation) -> Vocabulary:  # noqa: PLR0911 (as above)
        """Return what the room listens for."""
        if before.activity == "form" and before.interview is not None:
            return self.forms.vocabulary(before.interview)
        if before.activity == "doubt":
            return confirmation()
        if before.activity == "exercise":
            return exercise.vocabulary()
        if before.activity == "remind":
            return reminding.vocabulary()
        if before.activity == "fall":
            return fall_check.vocabulary()
        if before.activity == "who":
            return identity.vocabulary(self._plan)
        return resumption() if before.activity == "resume" else requests()

    def _alarmed(
        self, before: Conversation, danger: crisis.Danger, sentence: str, others: tuple[Observation, ...] = ()
    ) -> Reaction:
        """Tell of a danger before all else, say so, and go on with what the room was doing."""
        # Who is in danger is not led through an exercise, and none is offered.
        calm = exercising.stopped(before) if before.activity == "exercise" else self._stay(before)
        if before.activity == "fall":
            calm = fall_check.overtaken(before)
        again = with_sentence(calm, sentence)
        return replace(again, observations=(*danger.observations, *others, *again.observations))

    def _stay(self, before: Conversation) -> Reaction:  # noqa: PLR0911 (one return for each thing it may wait for)
        """Go on waiting for whatever the room waits for now, and say it again."""
        if before.activity == "form" and before.interview is not None:
            return self.forms.ask_again(before, before.interview)
        if before.activity == "resume":
            return self._offer_resume(before)
        if before.activity == "who":
            return self._ask_who(before)
        if before.activity == "doubt" and before.doubted is not None:
            return self._doubt(before, before.doubted)
        if before.activity == "exercise":
            return exercising.again(before)
        if before.activity == "remind":
            return reminding.again(before)
        if before.activity == "fall":
            return fall_check.asked(before)
        if before.activity == "request":
            return self._listen(
                before, "request", (), requests(), REQUEST_PATIENCE_SECONDS, tries=before.tries, tone=True
            )
        return self._rest(before)

    def _offer_resume(self, before: Conversation) -> Reaction:
        question = ("Do you want to continue your form? Please say yes or no.",)
        return self._listen(before, "resume", question, resumption(), ANSWER_PATIENCE_SECONDS, tries=0)

    def _resume(self, before: Conversation, meaning: Meaning | None) -> Reaction:
        if before.interview is None:
            return self._rest(before)
        if meaning is not None and meaning.code in ("yes", "form"):
            return self.forms.resume(before, before.interview)
        if meaning is not None and meaning.code in ("no", "stop"):
            # The answers so far are kept and sent; a new form starts afresh. The room listens for what else is needed.
            reaction = self.forms.stop(before, before.interview)
            return self._listen(
                reaction.conversation,
                "request",
                (*(reaction.instruction.say if reaction.instruction else ()), OFFER),
                requests(),
                REQUEST_PATIENCE_SECONDS,
                observations=reaction.observations,
            )
        if before.tries == 0:
            question = ("Sorry, I did not understand. Do you want to continue your form? Please say yes or no.",)
            return self._listen(before, "resume", question, resumption(), ANSWER_PATIENCE_SECONDS, tries=1)
        return self._rest(before, say=("I will keep your form. Call me when you want to go on.",))

    _listen = staticmethod(listening)
    _rest = staticmethod(resting)


def _meaning(vocabulary: Vocabulary, heard: SpeechHeard) -> Meaning | None:
    return vocabulary.meaning(heard.text) if heard.accepted else None
