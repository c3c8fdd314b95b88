"""A form answered by recordings, heard as the ears hear a room: what is speech is cut out, weighed and understood."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from forge_edge.audio.activity import VoiceActivity
from forge_edge.audio.files import load
from forge_edge.audio.ports import Samples
from forge_edge.forms import interview
from forge_edge.forms.asked import AskedForm
from forge_edge.forms.recorded import response
from forge_edge.forms.state import FormState, How
from forge_edge.forms.steps import Step
from forge_edge.recordings import spoken_parts
from forge_edge.speech.grammar import Meaning
from forge_edge.speech.ports import Transcriber, Transcription
from forge_shared.ids import new_id

YES = Meaning("confirmation", "yes")


class Listener:
    """Hears what is said to a form. Used from one thread.

    Args:
        form: The form.
        transcriber: The speech engine.
    """

    def __init__(self, form: AskedForm, transcriber: Transcriber) -> None:
        self._form = form
        self._transcriber = transcriber
        self._activity = VoiceActivity()

    def hear(self, state: FormState, sound: Samples, *, now: datetime) -> tuple[Step, Transcription | None]:
        """Return what follows from a recording, and what was heard in it; None where nobody speaks.

        Raises:
            EngineError: The engine failed.
        """
        self._activity.reset()
        speech = spoken_parts(sound, self._activity)
        if speech is None:
            return interview.silence(self._form, state), None
        vocabulary = interview.vocabulary(self._form, state)
        own_words = interview.takes_dictation(self._form, state)
        heard = self._transcriber.transcribe(speech, None if own_words else vocabulary.grammar)
        guess = vocabulary.meaning(heard.text)
        if guess is None and own_words and heard.text:
            guess = Meaning("answer", heard.text)
        how = How(
            mode="voice", language=self._form.form.language, engine=heard.engine, confidence=round(heard.confidence, 4)
        )
        meaning = guess if heard.accepted else None
        return interview.hear(self._form, state, meaning, now=now, guess=guess, how=how), heard


def run_heard(
    form: AskedForm,
    sounds: Iterable[Path],
    transcriber: Transcriber,
    show: Callable[[str], object],
    *,
    assume_yes: bool = False,
) -> dict[str, Any]:
    """Fill in a form with recordings, each what is said in one turn, and return its QuestionnaireResponse.

    When the recordings end before the form does, the response is one in progress.

    Args:
        form: The form.
        sounds: Recordings of answers, and of a yes or a no to each reading back.
        transcriber: The speech engine.
        show: Takes what the room says and what it heard.
        assume_yes: Whether every reading back is taken as right, so that there are recordings of answers alone.

    Raises:
        AudioUnreadableError: One of the recordings cannot be decoded.
        EngineError: The engine failed.
    """
    listener = Listener(form, transcriber)
    now = datetime.now(form.zone)
    step = interview.begin(form, new_id(), now)
    _say(step, show)
    for path in sounds:
        if step.state.at is None:
            break
        state = interview.resume(form, step.state).state if step.paused else step.state
        now = datetime.now(form.zone)
        step, heard = listener.hear(state, load(path), now=now)
        told = "nothing" if heard is None else heard.text if heard.accepted else f"perhaps: {heard.text}"
        show(f"< {path.name}: {told}")
        _say(step, show)
        if assume_yes and step.state.at is not None and step.state.pending is not None:
            show("< yes (assumed)")
            step = interview.hear(form, step.state, YES, now=now)
            _say(step, show)
    return response(form, step.state, now)


def _say(step: Step, show: Callable[[str], object]) -> None:
    for sentence in step.say:
        show(sentence)
