"""The core's side of the ears' socket, for tests of the ears alone: it notes what they say and says what it is told."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from forge_edge.audio.ports import AudioSink, AudioSource, Samples
from forge_edge.core_link import CoreLink
from forge_edge.ears import Ears
from forge_edge.messages import (
    Beat,
    Hearing,
    Instruction,
    Listen,
    Mute,
    NothingHeard,
    RoomState,
    Said,
    SpeechHeard,
    WakeHeard,
    read_order,
    read_perception,
)
from forge_edge.speech.ports import Grammar, Synthesiser, Transcriber, Transcription
from forge_edge.turn_times import TurnTimes
from forge_edge.wake.ports import WakeWord

S = TypeVar("S", Hearing, WakeHeard, SpeechHeard, NothingHeard, RoomState)
ANSWER = Listen(grammar="answer", phrases=("yes", "no"), patience_seconds=8.0)


class Understands:
    """A transcriber that hears the same in every utterance."""

    name = "sure"

    def __init__(self, text: str = "yes", *, accepted: bool = True) -> None:
        self.text, self.accepted = text, accepted
        self.utterances: list[Samples] = []

    def transcribe(self, samples: Samples, grammar: Grammar | None) -> Transcription:
        del grammar
        self.utterances.append(samples)
        return Transcription(text=self.text, accepted=self.accepted, confidence=0.9, engine=self.name)


class CoreSide:
    """A core that says only what a test says, and the ears that it speaks to, in threads, until the context is left."""

    def __init__(  # noqa: PLR0913 (the parts that a test may replace)
        self,
        folder: Path,
        source: AudioSource,
        sink: AudioSink,
        *,
        wake_words: tuple[WakeWord, ...] = (),
        transcriber: Transcriber | None = None,
        synthesiser: Synthesiser,
    ) -> None:
        self.said: list[Said | Beat] = []
        self._changed = threading.Condition()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(folder / "core.sock"))
        self._server.listen(1)
        link = CoreLink(folder / "core.sock", read_order)
        self._connection = self._server.accept()[0]
        transcriber = transcriber or Understands()
        self.ears = Ears(link, source, sink, wake_words, transcriber, synthesiser, TurnTimes(folder))
        self._threads = [threading.Thread(target=work) for work in (self._listen, self.ears.run)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), f"{thread.name} did not end"
        self._connection.close()
        self._server.close()

    def tell(self, order: Instruction | Mute) -> None:
        """Give the ears an order."""
        self._connection.sendall(order.model_dump_json().encode() + b"\n")

    def all(self, kind: type[S]) -> list[S]:
        """Return everything of a kind that the ears have said."""
        return [said for said in self.said if isinstance(said, kind)]

    def until(self, what: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something has been said."""
        with self._changed:
            assert self._changed.wait_for(what, seconds), self.said[-8:]

    def states(self) -> list[str]:
        """Return the room's states in order."""
        return [state.state for state in self.all(RoomState)]

    def until_state(self, state: str, seconds: float = 20.0) -> float:
        """Wait until the room shows a state, or has shown it meanwhile; return when."""
        before = len(self.states())
        self.until(lambda: state in self.states()[max(0, before - 1) :], seconds)
        return time.monotonic()

    def _listen(self) -> None:
        with self._connection.makefile("rb") as lines:
            for line in lines:
                with self._changed:
                    self.said.append(read_perception(line))
                    self._changed.notify_all()
