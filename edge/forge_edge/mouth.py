"""Ears of a room whose patient has not consented to be heard: they open no microphone and only speak."""

import threading
from typing import Any

from forge_edge.audio.ports import AudioSink
from forge_edge.core_link import BEAT_SECONDS, CoreLink
from forge_edge.errors import AudioError, EngineError
from forge_edge.messages import Beat, Hearing, Instruction, RoomState
from forge_edge.speech.ports import Synthesiser
from forge_shared.logs import get_logger

log = get_logger()


class Mouth:
    """Ears without consent to hear: no microphone is opened, the room only speaks. Works until the core is gone."""

    def __init__(self, link: CoreLink[Any], sink: AudioSink, synthesiser: Synthesiser) -> None:
        self._link = link
        self._sink = sink
        self._synthesiser = synthesiser

    def run(self) -> None:
        """Work until the core is gone."""
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        self._link.report(Hearing(state="closed", reason="consent-withdrawn"))
        self._link.report(RoomState(state="closed"))
        while not self._link.closed.is_set():
            order = self._link.order(BEAT_SECONDS)
            if not isinstance(order, Instruction):
                continue
            for sentence in order.say:
                try:
                    self._sink.play(self._synthesiser.synthesise(sentence, order.voice))
                except (EngineError, AudioError) as error:
                    log.warning("speech.failed", reason=error.code)

    def _beat(self) -> None:
        while not self._link.closed.wait(BEAT_SECONDS):
            self._link.report(Beat())
