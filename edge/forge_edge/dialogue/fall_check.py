"""The turns after what looked like a fall: only clear words of being well take anything back. Pure."""

from dataclasses import replace

from forge_edge.dialogue.sentences import ALREADY_TOLD, ARE_YOU_ALL_RIGHT, GLAD, NO_HUB, TELLING_OF_FALL
from forge_edge.dialogue.turn import Conversation, Reaction, listening, resting
from forge_edge.speech.grammar import Meaning, Vocabulary, fall_check

PATIENCE_SECONDS = 6.0
"""Somebody who is dazed answers late; with the question it is over before time itself confirms the fall."""


def vocabulary() -> Vocabulary:
    """Return what may be said to the question."""
    return fall_check()


def asked(before: Conversation) -> Reaction:
    """Ask, whatever the room was doing: a form waits and is offered again."""
    return listening(before, "fall", (ARE_YOU_ALL_RIGHT,), vocabulary(), PATIENCE_SECONDS, tone=True)


def heard(before: Conversation, meaning: Meaning | None, *, hub: bool) -> Reaction:
    """React to the answer; what was not understood is no reassurance."""
    if meaning is not None and meaning.code in {"fine", "yes"}:
        return replace(resting(before, say=(GLAD,)), after_fall="well")
    return replace(_telling(before, hub=hub), after_fall="hurt")


def too_late(said: Reaction, *, hub: bool) -> Reaction:
    """Say instead that the staff know: they were told before who may have fallen said that they are fine."""
    say = (ALREADY_TOLD if hub else NO_HUB,)
    return replace(
        said,
        conversation=said.conversation.model_copy(update={"last_said": say}),
        instruction=None if said.instruction is None else said.instruction.model_copy(update={"say": say}),
    )


def silence(before: Conversation, *, hub: bool) -> Reaction:
    """React to no answer."""
    return replace(_telling(before, hub=hub), after_fall="silence")


def got_up(before: Conversation) -> Reaction:
    """Ask no longer: who was asked is up again, and nobody is told of what is no fall any more."""
    return resting(before, say=(GLAD,))


def overtaken(before: Conversation) -> Reaction:
    """Ask no longer: what was said instead of an answer names a danger, of which the room speaks now."""
    return replace(resting(before), after_fall="hurt")


def _telling(before: Conversation, *, hub: bool) -> Reaction:
    return resting(before, say=(TELLING_OF_FALL if hub else NO_HUB,))
