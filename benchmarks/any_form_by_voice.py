"""Whole forms of every kind answered by voice: synthetic people, the ears' hearing, the room's interview.

    python benchmarks/any_form_by_voice.py [FORM.json ...]

Without files: those of ../shared/data/forms where they are present, and the shipped ones. One JSON line per form:
whether it was completed, how many answers were stored, and how many of them were not what the person meant. A person
says no to a reading back of what they did not mean, and says the same again. The baseline is the same form by writing.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from forge_edge.audio.ports import Samples
from forge_edge.audio.voices import VOICES
from forge_edge.forms import interview, spoken, written
from forge_edge.forms.asked import AskedForm
from forge_edge.forms.state import FormState, Key
from forge_edge.heard_forms import Listener
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.pocketsphinx import PocketsphinxTranscriber
from forge_edge.speech.ports import Transcriber
from forge_shared.errors import AnswerUnfitError, FormInvalidError
from forge_shared.forms import entry
from forge_shared.forms.questionnaire import Questionnaire, installed, load

GIVEN = Path(__file__).parents[2] / "shared" / "data" / "forms"
SEED = 7
MOST_TURNS = 400
MOST_THOUGHTS = 200
MOST_SAME = 6
"""Times a person says the same in vain before they say: skip."""


@dataclass
class Person:
    """Somebody with a synthetic voice, who means one thing with each question and says it until it is understood."""

    form: AskedForm
    voice: EspeakSynthesiser
    chance: random.Random
    meant: dict[tuple[Key | None, tuple[str, ...]], str] = field(default_factory=dict)
    tries: int = 0

    def says(self, state: FormState) -> str:
        """Return what this person says now."""
        asked = self.form.passage(state)
        if state.pending is not None:
            held = [spoken.in_words(value) for value in state.pending.values]
            return "yes" if held == [self.means(state)] else "no that is wrong"
        if asked.kind == "more":
            return "no"
        if state.adding:
            return "that is all"
        slot = spoken.next_slot(self.form, asked.item, state)
        self.tries += 1
        if slot is None or self.tries > MOST_SAME:
            return "skip this question"
        key = (state.at, state.parts)
        if key not in self.meant:
            self._decide(state)
        return self.meant[key]

    def _decide(self, state: FormState) -> None:
        """Mean something that the question takes."""
        asked = self.form.passage(state)
        for _ in range(MOST_THOUGHTS):
            parts: tuple[str, ...] = ()
            while (slot := spoken.follows(asked.item, parts, state.started_at.year)) is not None:
                phrase = self.chance.choice(sorted(slot.phrases))
                self.meant[(state.at, parts)] = phrase
                parts = (*parts, slot.phrases[phrase])
            try:
                if not asked.item.answer_option:
                    value = entry.read_one(asked.item, spoken.assembled(asked.item, parts), UTC)
                    self.form.check(asked.place, (value,), self.form.filling(state))
            except AnswerUnfitError:
                continue
            return

    def means(self, state: FormState) -> str:
        """Return what this person's words amount to, as it is read back."""
        item = self.form.passage(state).item
        parts: tuple[str, ...] = ()
        while (slot := spoken.follows(item, parts, state.started_at.year)) and (state.at, parts) in self.meant:
            parts = (*parts, slot.phrases[self.meant[(state.at, parts)]])
        option = item.option(parts[0]) if parts and item.answer_option else None
        if option is not None:
            return spoken.in_words(option.value)
        try:
            return spoken.in_words(entry.read_one(item, spoken.assembled(item, parts), UTC))
        except AnswerUnfitError:
            return ""

    def sound(self, state: FormState) -> Samples:
        """Return the sound of it."""
        return self.voice.synthesise(self.says(state)).samples


def by_voice(form: Questionnaire, transcriber: Transcriber, voice: str, chance: random.Random) -> dict[str, object]:
    """Let one person answer a form by voice, and return what came of it."""
    asked = AskedForm(form)
    spec = VOICES[voice].voice
    person = Person(asked, EspeakSynthesiser(spec.voice, words_per_minute=spec.words_per_minute), chance)
    listener = Listener(asked, transcriber)
    began = time.monotonic()
    step = interview.begin(asked, "r", datetime.now(UTC))
    turns, wrong = 0, 0
    while step.state.at is not None and turns < MOST_TURNS:
        state = interview.resume(asked, step.state).state if step.paused else step.state
        step, _ = listener.hear(state, person.sound(state), now=datetime.now(UTC))
        if step.state.at != state.at:
            person.tries = 0
            stored = state.at and step.state.entry(state.at[1])
            if stored and stored.values and state.pending is not None:
                wrong += [spoken.in_words(value) for value in stored.values] != [person.means(state)]
        turns += 1
    return {
        "completed": step.state.status == "completed",
        "answers": len(step.state.answers),
        "wrong": wrong,
        "left_out": len(step.state.skipped),
        "turns": turns,
        "seconds": round(time.monotonic() - began, 1),
    }


def by_writing(form: Questionnaire) -> dict[str, object]:
    """Return the baseline: the same form by writing, every question left out."""
    asked, now = AskedForm(form), datetime.now(UTC)
    step, lines = written.begin(asked, "r", now), 0
    while step.state.at is not None and lines < MOST_TURNS:
        word = "decline" if step.state.at[0] == "ask" else "no"
        step, lines = written.hear(asked, step.state, word, now=now), lines + 1
    return {"completed": step.state.status == "completed", "questions": len(step.state.entries)}


def forms(paths: list[str]) -> Iterator[tuple[str, Questionnaire]]:
    """Yield the forms to answer, by name."""
    for path in [Path(one) for one in paths] or sorted(GIVEN.glob("*/*.json")):
        try:
            yield path.name, load(path)
        except FormInvalidError:
            continue
    if not paths:
        yield from sorted(installed().items())


def main() -> int:
    """Answer every form, and print what came of it."""
    chance = random.Random(SEED)
    transcriber = PocketsphinxTranscriber()
    voices = [name for name, voice in VOICES.items() if voice.voice.engine == "espeak-ng"]
    wrong = 0
    for number, (name, form) in enumerate(forms(sys.argv[1:])):
        voice = voices[number % len(voices)]
        done = by_voice(form, transcriber, voice, chance)
        wrong += bool(done["wrong"])
        print(
            json.dumps(
                {"figure": "a form by voice", "form": name, "voice": voice, **done, "baseline": by_writing(form)}
            ),
            flush=True,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
