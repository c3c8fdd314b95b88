"""Forms in a room whose process is killed at any point, and a witness who compares what is left with what was stored.

The process is a real one, ended by SIGKILL, with the node's own dialogue, saved state and outbox, in the node's order:
commit, save, then say. Before each save it tells the witness what it is about to store, and after it that it has.
"""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forge_edge.anonymiser import Anonymiser
from forge_edge.dialogue.conversation import Conversation, Dialogue, Reaction
from forge_edge.dialogue.saved import SavedConversation
from forge_edge.forms import interview as interviews
from forge_edge.forms import touch
from forge_edge.forms.asked import AskedForm
from forge_edge.forms.recorded import form_observed
from forge_edge.forms.state import FormState
from forge_edge.messages import SpeechHeard, WakeHeard
from forge_edge.observations import FormObserved
from forge_edge.outbox.store import Outbox
from forge_shared.clock import SystemClock
from forge_shared.events import FormRecorded, read_data
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring

NAMES = ("phq-9", "gad-7", "asq", "admission", "check-in")
MOST_LINES = 24
LONGEST_STEP_SECONDS = 0.01
"""A process is killed after so many of the two things that it says in each step, and somewhere in the next step."""
EARLY = 0.1
"""Share of the processes that are not even given the time to become ready."""
READY = b"ready\n"
OUTBOX_BYTES = 100_000_000
FORMS = installed()
DIALOGUES = {name: Dialogue(FORMS, name) for name in NAMES}


@dataclass
class Tally:
    """What the witness saw."""

    kills: int = 0
    killed_in_form: int = 0
    stored: int = 0
    forms: int = 0
    lost: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


class KilledForms:
    """Rooms that are killed and started again, one form after the other.

    Args:
        folder: For the rooms' state.
        seed: Everything that happens follows from it, but the moment of a kill.
        fault: What the rooms do wrong when they save; None: nothing.
    """

    def __init__(self, folder: Path, seed: int, fault: Callable[[Conversation], Conversation] | None = None) -> None:
        self._folder = folder
        self._fault = fault
        self._random = random.Random(seed)
        self.tally = Tally()

    def run(self, kills: int) -> Tally:
        """Fill in forms until that many processes were killed."""
        number = 0
        while self.tally.kills < kills:
            name = NAMES[number % len(NAMES)]
            folder = self._folder / str(number)
            folder.mkdir()
            Keyring.open(folder / "device.key")
            self._one_form(folder, name, kills)
            number += 1
        return self.tally

    def _one_form(self, folder: Path, name: str, kills: int) -> None:
        stored: dict[str, Any] | None = None
        while self.tally.kills < kills:
            said, killed = self._one_life(folder, name)
            self.tally.kills += killed
            self.tally.killed_in_form += killed and bool(said)
            intents = [one for one in said if one["kind"] == "intent"]
            kept = [one["state"] for one in said if one["kind"] == "kept"]
            self.tally.stored += sum(len(one["state"]["entries"]) > 0 for one in intents if one["state"])
            stored = kept[-1] if kept else stored
            about = intents[-1]["state"] if len(intents) > len(kept) else None
            found = self._found(folder)
            if found not in (stored, about):
                self._differs(name, stored, found)
            stored = found
            over = next((one["recorded"] for one in intents if one["recorded"]), None)
            if over is not None or (stored is None and _recorded(folder)):
                self._check_record(folder, name, intents)
                if stored is None:
                    self.tally.forms += 1
                    return

    def _one_life(self, folder: Path, name: str) -> tuple[list[dict[str, Any]], bool]:
        """Start the room, kill it soon, and return what it said and whether it was alive when it was killed."""
        reader, writer = os.pipe()
        seed = self._random.random()
        child = os.fork()
        if child == 0:
            os.close(reader)
            status = 1
            try:
                _live(folder, name, writer, seed, self._fault)
                status = 0
            finally:
                os._exit(status)
        os.close(writer)
        with os.fdopen(reader, "rb") as lines:
            wait = 0 if self._random.random() < EARLY else 1 + self._random.randrange(MOST_LINES)
            heard = [line for _ in range(wait) if (line := lines.readline())]
            time.sleep(self._random.random() * LONGEST_STEP_SECONDS)
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            whole = [*heard, *lines.read().splitlines(keepends=True)]
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            raise AssertionError("the room failed by itself")
        said = [line for line in whole if line.endswith(b"\n") and line != READY]
        return [json.loads(line) for line in said], os.WIFSIGNALED(status)

    def _found(self, folder: Path) -> dict[str, Any] | None:
        conversation = SavedConversation(folder / "conversation.json", Keyring.open(folder / "device.key")).load()
        return _written(conversation)

    def _differs(self, name: str, stored: dict[str, Any] | None, found: dict[str, Any] | None) -> None:
        was, now = ({json.dumps(e["place"]): e for e in (one or {"entries": []})["entries"]} for one in (stored, found))
        self.tally.lost += [f"{name} {place}" for place in was if place not in now]
        self.tally.changed += [f"{name} {place}" for place in now if now[place] != was.get(place)]

    def _check_record(self, folder: Path, name: str, intents: list[dict[str, Any]]) -> None:
        """Compare each record with what was stored before its last answer: all of that must be in it, unaltered."""
        records = _recorded(folder)
        for place, intent in enumerate(intents):
            if intent["recorded"] is None or place == 0 or intents[place - 1]["state"] is None:
                continue
            record = next((one for one in records if _answers(one) == intent["recorded"]), None)
            if record is None:
                continue  # it was killed before the commit, and the form goes on
            before = FormState.model_validate(intents[place - 1]["state"])
            form = AskedForm(FORMS[name])
            for key, answer in _answers(form_observed(form, before.model_copy(update={"at": None}))).items():
                link = key.split(" ")[0]
                if link == before.current:
                    continue
                if key not in intent["recorded"] and not _is_conditional(form, link):
                    self.tally.lost.append(f"{name} {key} in the record")
                if key in intent["recorded"] and intent["recorded"][key] != answer:
                    self.tally.changed.append(f"{name} {key} in the record")


def _live(
    folder: Path, name: str, writer: int, seed: float, fault: Callable[[Conversation], Conversation] | None
) -> None:
    """Be a room until the form is over: what is decided is committed, then saved, then the next thing happens."""
    clock = SystemClock()
    chance = random.Random(seed)
    keyring = Keyring.open(folder / "device.key")
    saved = SavedConversation(folder / "conversation.json", keyring)
    outbox = Outbox(folder / "outbox.db", "site", "room-1", clock, limit_bytes=OUTBOX_BYTES, keyring=keyring)
    anonymiser = Anonymiser("p-1", clock)
    dialogue = DIALOGUES[name]
    conversation = saved.load()
    os.write(writer, READY)
    if conversation.interview is None and _recorded(folder):
        return
    for reaction in _lived(dialogue, name, conversation, chance):
        for observation in reaction.observations:
            event = anonymiser.event_of(observation)
            if event is not None:
                outbox.append(event)
        recorded = next((_answers(seen) for seen in reaction.observations if isinstance(seen, FormObserved)), None)
        state = _written(reaction.conversation)
        _tell(writer, {"kind": "intent", "state": state, "recorded": recorded})
        saved.save(fault(reaction.conversation) if fault is not None else reaction.conversation)
        _tell(writer, {"kind": "kept", "state": state})
        if recorded is not None:
            return


def _lived(dialogue: Dialogue, name: str, before: Conversation, chance: random.Random) -> Iterator[Reaction]:
    """Yield what the room does about what happens to it, one thing after the other."""
    reaction = dialogue.start(before)
    while True:
        yield reaction
        now = reaction.conversation
        if now.activity == "idle":
            at = datetime.now(UTC)
            if now.interview is None:
                reaction = dialogue.forms.touched_begin(now, name, now=at, new_id=new_id())
            else:
                reaction = dialogue.wake(now, WakeHeard(word="alexa", score=1.0))
        elif now.activity == "form" and now.interview is not None and chance.random() < 0.25:
            reaction = dialogue.forms.touched(now, _tapped(dialogue, now, chance), now=datetime.now(UTC))
        else:
            text = _said(dialogue, now, chance)
            heard = SpeechHeard(
                turn=now.turn, text=text, accepted=True, confidence=0.9, engine="test", ended_monotonic_seconds=0.0
            )
            reaction = dialogue.speech(now, heard, now=datetime.now(UTC), new_id=new_id(), hub=True)


def _tapped(dialogue: Dialogue, now: Conversation, chance: random.Random) -> touch.Action:
    view = dialogue.forms.shown(now)
    assert view is not None, "a form is in progress"
    if view.heard is not None:
        return touch.Confirm(right=chance.random() < 0.9)
    if view.kind == "more":
        return touch.More(another=chance.random() < 0.3)
    if view.before and chance.random() < 0.1:
        return touch.GoTo(chance.choice(view.before).place)
    if view.options:
        return touch.Answer((chance.choice(view.options).code,))
    plain = {"boolean": "yes", "integer": "3", "decimal": "80.5", "quantity": "170 cm", "time": "22:30"}
    return touch.Answer((plain.get(view.type, "in words"),))


def _said(dialogue: Dialogue, now: Conversation, chance: random.Random) -> str:
    if now.activity != "form" or now.interview is None:
        return "yes"
    state = now.interview
    vocabulary = interviews.vocabulary(dialogue.forms.of(state), state)
    if state.pending is not None or state.at is None or state.at[0] == "more":
        return "yes" if chance.random() < 0.8 and state.pending is not None else "no"
    steering = ("go back", "skip", "repeat", *(phrase for phrase in vocabulary.meanings if phrase.startswith("change")))
    if chance.random() < 0.15:
        return chance.choice([phrase for phrase in steering if phrase in vocabulary.meanings])
    answers = [phrase for phrase, meaning in vocabulary.meanings.items() if meaning.kind == "answer"]
    return chance.choice(answers or ["skip"])


def _tell(writer: int, what: dict[str, Any]) -> None:
    os.write(writer, json.dumps(what).encode() + b"\n")


def _written(conversation: Conversation) -> dict[str, Any] | None:
    state = conversation.interview
    written: dict[str, Any] | None = state.model_dump(mode="json") if state is not None else None
    return written


def _recorded(folder: Path) -> list[FormRecorded]:
    """Return the forms in the outbox."""
    if not (folder / "outbox.db").exists():
        return []
    keyring = Keyring.open(folder / "device.key")
    clock = SystemClock()
    outbox = Outbox(folder / "outbox.db", "site", "room-1", clock, limit_bytes=OUTBOX_BYTES, keyring=keyring)
    try:
        events = [read_data(one.type, one.data) for one in outbox.pending("record", 0, 1000)]
    finally:
        outbox.close()
    return [event for event in events if isinstance(event, FormRecorded)]


def _answers(form: FormObserved | FormRecorded) -> dict[str, Any]:
    return {
        f"{answer.link_id} {list(answer.repetition)}": [
            answer.code,
            [v.model_dump() for v in answer.values],
            answer.mode,
        ]
        for answer in form.answers
    }


def _is_conditional(form: AskedForm, link_id: str) -> bool:
    """Tell whether an item may vanish with another's answer: it, or what it stands in, is asked on a condition."""
    return any(
        item.enable_when and (item.link_id == link_id or any(link_id == below.link_id for below in item.item))
        for item in form.items.values()
    )
