"""The turns of a reminder: it is said, and confirmed, put off or refused. Pure."""

from datetime import datetime

from forge_edge.dialogue import reminders
from forge_edge.dialogue.sentences import REMINDER_DONE, REMINDER_LATER, REMINDER_REFUSED
from forge_edge.dialogue.turn import Conversation, Reaction, listening, resting
from forge_edge.speech.grammar import Vocabulary, reminding
from forge_shared.plan import Reminder, RoomPlan

PATIENCE_SECONDS = 15.0


def vocabulary() -> Vocabulary:
    """Return what may be said to a reminder."""
    return reminding()


def tick(before: Conversation, plan: RoomPlan, *, now: datetime, deaf: bool) -> Reaction | None:
    """Return what follows by itself at a moment; None: nothing, also nothing to keep.

    Args:
        before: Where the dialogue stands.
        plan: What the staff have set.
        now: The time.
        deaf: Whether nobody may be listened to; then a reminder is said and can be confirmed by touch alone.
    """
    watched = reminders.follow(before.reminders, plan, now)
    due = reminders.due(watched, plan, now, may_speak=before.activity == "idle")
    if due.watched == before.reminders:
        return None
    after = before.model_copy(update={"reminders": due.watched})
    if due.say is None:
        return Reaction(after, None, due.missed)
    reaction = said(after, due.say, deaf=deaf)
    return Reaction(reaction.conversation, reaction.instruction, due.missed)


def said(before: Conversation, reminder: Reminder, *, deaf: bool = False) -> Reaction:
    """Say a reminder, and listen for whether it is done."""
    after = before.model_copy(update={"reminder": reminder.id})
    words = reminders.sentence(reminder)
    if deaf or not reminder.confirm:
        return resting(confirm(after, reminder.id) if not reminder.confirm else after, say=(words,), tone=True)
    return listening(after, "remind", (words, reminders.QUESTION), vocabulary(), PATIENCE_SECONDS, tone=True)


def heard(before: Conversation, command: str | None) -> Reaction:
    """React to what was said to a reminder; None: nothing that was understood. It is said again later then."""
    if before.reminder is None or command is None:
        return resting(before)
    if command == "done":
        return resting(confirm(before, before.reminder), say=(REMINDER_DONE,))
    if command == "refused":
        due = reminders.refused(before.reminders, before.reminder)
        after = before.model_copy(update={"reminders": due.watched, "reminder": None})
        return resting(after, say=(REMINDER_REFUSED,) if due.missed else (), observations=due.missed)
    left = any(each.reminder.id == before.reminder and each.times < reminders.TIMES for each in before.reminders)
    later = before.model_copy(update={"reminder": None})
    return resting(later, say=(REMINDER_LATER,) if left else ())


def again(before: Conversation) -> Reaction:
    """Say the reminder that is being confirmed once more."""
    now = next((each.reminder for each in before.reminders if each.reminder.id == before.reminder), None)
    return resting(before) if now is None else said(before, now)


def confirm(before: Conversation, reminder_id: str) -> Conversation:
    """Return the conversation after a reminder was confirmed, by voice or touch."""
    watched = reminders.confirmed(before.reminders, reminder_id)
    return before.model_copy(update={"reminders": watched, "reminder": None})
