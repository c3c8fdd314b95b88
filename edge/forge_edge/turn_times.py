"""How long a turn takes, stage by stage, for Prometheus: the ears write it to a file of the state folder.

The node opens no port for it. node_exporter's textfile collector reads ``turns.prom`` (docs/adr/0024).
"""

from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest

from forge_shared.files import replace
from forge_shared.logs import get_logger

FILE = "turns.prom"
WRITE_SECONDS = 15.0
"""How often the file is written at most: as often as Prometheus usually scrapes."""

_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Dense around the aims: 0.3 s for an interruption, 0.7 s for an answer."""


@dataclass(slots=True)
class Turn:
    """One turn, as far as it has come; durations in seconds."""

    ended_at: float
    endpoint: float
    decode: float
    decided_at: float | None = None
    decision: float = 0.0


class TurnTimes:
    """Counts turns. Used from one thread.

    Args:
        folder: Where ``turns.prom`` is written; None: nowhere.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        self._stages = Histogram(
            "forge_edge_turn_stage_seconds",
            "Part of the time from the last word of a person to the first sound of the answer.",
            ("stage",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._answer = Histogram(
            "forge_edge_turn_seconds",
            "From the last word of a person to the first sound of the answer.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._silenced = Histogram(
            "forge_edge_interruption_seconds",
            "From the first sound of a person who interrupts to the silence of the room.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._noises = Counter(
            "forge_edge_noises_ignored", "Coughs and knocks that were no answer.", registry=self._registry
        )
        self._turn: Turn | None = None
        self._written_at = float("-inf")
        self._failed = False

    def heard(self, ended_at: float, decode_from: float, decode_to: float, now: float) -> None:
        """An utterance was reported.

        Args:
            ended_at: When its last word ended; all times are this machine's monotonic clock.
            decode_from: When its transcription began.
            decode_to: When that ended.
            now: When it was reported: what came between was waiting for more words.
        """
        decode = decode_to - decode_from
        self._turn = Turn(ended_at, endpoint=now - ended_at - decode, decode=decode, decided_at=now)

    def decided(self, now: float) -> None:
        """The core has said what follows."""
        if self._turn is not None and self._turn.decided_at is not None:
            self._turn.decision = now - self._turn.decided_at
            self._turn.decided_at = None

    def answered(self, began_at: float, synthesis_seconds: float) -> None:
        """The first sentence of what follows is heard."""
        turn, self._turn = self._turn, None
        if turn is None or turn.decided_at is not None:
            return
        self._answer.observe(began_at - turn.ended_at)
        for stage, seconds in (
            ("endpoint", turn.endpoint),
            ("decode", turn.decode),
            ("decision", turn.decision),
            ("synthesis", synthesis_seconds),
        ):
            self._stages.labels(stage).observe(seconds)

    def silenced(self, seconds: float) -> None:
        """Somebody interrupted the room, which fell silent that long after they had begun."""
        self._silenced.observe(seconds)

    def noise(self) -> None:
        """A noise was passed over."""
        self._noises.inc()

    def write(self, now: float) -> None:
        """Write the file, if it is time. A disk that refuses is said once and hinders nothing."""
        if self._folder is None or now - self._written_at < WRITE_SECONDS:
            return
        self._written_at = now
        try:
            replace(self._folder / FILE, generate_latest(self._registry))
        except OSError:
            if not self._failed:
                get_logger().warning("metrics.not-written")
            self._failed = True
        else:
            self._failed = False
