"""What was just heard and said, in words, for who reads better than they hear. Pure; kept in memory only.

Captions are gone soon after the room has come to rest. Where somebody else than the patient may be in the room nothing
that was heard is shown, and nothing that the room says in a form: it repeats answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from forge_edge.dialogue.conversation import Conversation
from forge_edge.messages import SpeechHeard

LINGER_SECONDS = 25.0
"""How long captions stay once the room rests. Ours: the longest sentences of a request are read twice in it, at 100
words a minute."""

_IN_A_FORM = frozenset({"form", "resume"})
NOT_UNDERSTOOD = "I did not understand."


@dataclass(frozen=True, slots=True)
class Captions:
    """What is shown of the last exchange.

    Attributes:
        heard: What the patient said, as it was understood; empty where nothing was, or where it is not shown.
        said: What the room said to it.
        at_seconds: When the last of it was said, monotonic.
    """

    heard: str = ""
    said: tuple[str, ...] = ()
    at_seconds: float = 0.0


def heard(before: Captions, speech: SpeechHeard, conversation: Conversation, now: float) -> Captions:
    """Take in an utterance, in the conversation in which it was heard."""
    if speech.turn is None or speech.turn != conversation.turn:
        return before  # dictation belongs to the record, and late speech to nothing
    if conversation.speaker != "assumed":
        return Captions(at_seconds=now)
    return Captions(heard=speech.text if speech.accepted else NOT_UNDERSTOOD, at_seconds=now)


def said(
    before: Captions, sentences: Sequence[str], was: Conversation, conversation: Conversation, now: float
) -> Captions:
    """Take in what the room says when it goes from one state to the next."""
    if not sentences:
        return before
    of_a_form = was.activity in _IN_A_FORM or conversation.activity in _IN_A_FORM
    if conversation.speaker != "assumed" and of_a_form:
        return Captions(at_seconds=now)
    return replace(before, said=tuple(sentences), at_seconds=now)


def at(captions: Captions, conversation: Conversation, now: float) -> Captions:
    """Return what is still shown."""
    rests = conversation.activity == "idle"
    return Captions() if rests and now - captions.at_seconds > LINGER_SECONDS else captions
