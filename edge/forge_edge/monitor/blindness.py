"""Whether the camera sees anything that can be used. Unknown is a state, and it is said within ten seconds."""

from typing import Final

from forge_edge.monitor.findings import BlindCause
from forge_edge.monitor.looks import Look, Measures

SILENT_SECONDS: Final = 6.0
"""No picture for this long. A still room is looked at every second."""
HOLDS_SECONDS: Final = 6.0
"""How long a picture must be useless: what hangs before the lens for a moment or an infra-red switch (a few seconds) is
none; with the time to say it, blindness is known within ten seconds."""
BACK_SECONDS: Final = 2.0
"""How long the picture must be good again."""
BLACK_LUMA: Final = 6.0
"""Of 255. Infra-red light or a night light gives tens; a sensor without light gives noise of a few."""
COVERED_CONTRAST: Final = 10.0
"""Of 127. A room has edges (20 and more, by night too); cloth before the lens has hardly any."""
FROZEN_MOTION: Final = 0.0005
"""Of 255. Every sensor's noise is above it; the same picture again is exactly 0."""
MOVED_BITS: Final = 20
"""Of 64. Two different views differ in 32 on average (standard deviation 4); people, light and infra-red in 12."""
SETTLED_BITS: Final = 14
LEARNS_SECONDS: Final = 600.0
"""Time constant with which the fingerprint of the room follows what changes slowly: sun, furniture."""
BITS: Final = 64


class Blindness:
    """Follows the picture as a whole."""

    def __init__(self) -> None:
        self.cause: BlindCause | None = None
        self.since_s = 0.0
        self._suspicion: BlindCause | None = None
        self._suspected_s = 0.0
        self._good_since_s: float | None = None
        self._last_s: float | None = None
        self._learned: list[float] | None = None
        self._before: Measures | None = None

    @property
    def is_steady(self) -> bool:
        """Whether nothing is wrong with the picture just now."""
        return self.cause is None and self._suspicion is None

    def silent(self, at_s: float) -> bool:
        """Tell whether no picture has come for too long by now; the camera counts as blind then."""
        if self._last_s is None or self.cause is not None or at_s - self._last_s < SILENT_SECONDS:
            return False
        self.cause, self.since_s, self._good_since_s = "no-picture", self._last_s, None
        return True

    def see(self, look: Look) -> bool:
        """Take the next picture; tell whether blindness began or ended with it (``cause`` says which)."""
        last, self._last_s = self._last_s, look.at_s
        wrong = self._wrong(look.measures, look.at_s - (look.at_s if last is None else last))
        if self.cause is None:
            return self._begins(wrong, look.at_s)
        return self._ends(wrong, look.at_s)

    def _begins(self, wrong: BlindCause | None, at_s: float) -> bool:
        if wrong is None:
            self._suspicion = None
            return False
        if self._suspicion is None:
            self._suspected_s = at_s
        self._suspicion = wrong
        if at_s - self._suspected_s < HOLDS_SECONDS:
            return False
        self.cause, self.since_s, self._good_since_s = wrong, self._suspected_s, None
        return True

    def _ends(self, wrong: BlindCause | None, at_s: float) -> bool:
        if wrong is not None:
            self._good_since_s = None
            return False
        if self._good_since_s is None:
            self._good_since_s = at_s
        if at_s - self._good_since_s < BACK_SECONDS:
            return False
        self.cause = self._suspicion = None
        return True

    def _wrong(self, measures: Measures | None, passed_s: float) -> BlindCause | None:
        if measures is None:
            return None
        before, self._before = self._before, measures
        if before is not None and measures.motion < FROZEN_MOTION and measures.luma == before.luma:
            return "frozen"
        if measures.luma < BLACK_LUMA:
            return "black"
        if measures.contrast < COVERED_CONTRAST:
            return "covered"
        return self._moved(measures.scene, passed_s)

    def _moved(self, scene: int, passed_s: float) -> BlindCause | None:
        bits = [scene >> place & 1 for place in range(BITS)]
        if self._learned is None:
            self._learned = [float(bit) for bit in bits]
            return None
        differ = sum(bit != (known >= 0.5) for bit, known in zip(bits, self._learned, strict=True))  # noqa: PLR2004 (majority)
        if differ >= (MOVED_BITS if self.cause != "moved" else SETTLED_BITS):
            return "moved"
        share = min(passed_s, 10.0) / LEARNS_SECONDS
        self._learned = [known + share * (bit - known) for bit, known in zip(bits, self._learned, strict=True)]
        return None
