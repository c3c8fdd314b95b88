"""What the room's camera shows of danger, judged by what staff have drawn and set."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from forge_edge.errors import NodeConfigError
from forge_edge.judgement import Judged, Judgement
from forge_edge.monitor.looks import Look
from forge_edge.redrawn import Redrawn
from forge_shared.events import DangerKind
from forge_shared.logs import get_logger
from forge_shared.plan import Watch

log = get_logger()


class Danger:
    """Judges looks; what is drawn anew is judged by without a restart.

    Args:
        folder: The node's state folder.
        masks: Returns the version of the masks in the newest picture.

    Attributes:
        going_on: What is suspected or confirmed and not over, by incident.
        is_fresh: Whether nothing was seen yet that is judged by.

    Raises:
        NodeConfigError: The zones cannot be read.
    """

    def __init__(self, folder: Path, masks: Callable[[], str]) -> None:
        self._folder = folder
        self._masks = masks
        self._watch = Watch()
        self._judgement = Judgement(folder, self._watch)
        self._redrawn = Redrawn(folder)
        self._suspected = False
        self._since_s = float("-inf")
        self.going_on: dict[str, DangerKind] = {}
        self.is_fresh = True

    @property
    def is_empty(self) -> bool:
        """Whether whoever was in the room was seen to leave by a door; False too where nobody knows."""
        return self._judgement.is_empty

    @property
    def is_suspected(self) -> bool:
        """Whether somebody may have fallen, and it is neither confirmed nor taken back yet."""
        return self._suspected

    def adopt(self, watch: Watch) -> None:
        """Watch for what staff have set from now on."""
        self._watch = watch
        self._judgement.adopt(watch)

    def see(self, look: Look) -> Judged:
        """Judge a look. The first that is judged afresh shows something until it is known that it does not.

        A picture that was taken before all was forgotten shows whom nobody is to remember: nothing follows from it.
        """
        if self.has_forgotten(look):
            return Judged()
        judged = self._noted(self._judgement.see(look, self._masks()))
        if self.is_fresh:
            self.is_fresh = False
            return replace(judged, sight=judged.sight or "seeing")
        return judged

    def has_forgotten(self, look: Look) -> bool:
        """Tell whether a picture was taken before all was forgotten."""
        return look.at_s < self._since_s

    def tick(self, now: float) -> Judged:
        """Judge that a time has come, in monotonic seconds."""
        return self._noted(self._judgement.tick(now, self._masks()))

    def answered(self, now: float, answer: Literal["well", "hurt", "silence"]) -> Judged:
        """Judge what somebody who may have fallen answered."""
        return self._noted(self._judgement.answered(now, self._masks(), answer))

    def forget(self, now: float) -> None:
        """Judge afresh: nobody looks any more, or somebody else is in the room.

        Of what went on nobody knows whether it is over: staff answer what they were told.

        Args:
            now: In monotonic seconds, as the looks; of what was seen before nothing follows any more.
        """
        self._since_s = now
        self._judgement.begin_anew()
        self._suspected, self.is_fresh = False, True
        self.going_on.clear()

    def follow_drawing(self) -> bool:
        """Judge by what staff have drawn anew, if they have, as after a start.

        What was learned of the old picture does not hold. A fall that is suspected is confirmed or taken back first,
        which takes seconds.

        Returns:
            Whether it is judged anew from now on.
        """
        masks = self._masks()
        if self._suspected or not self._redrawn.is_news(masks):
            return False
        try:
            self._redrawn.take(masks)
            self._judgement = Judgement(self._folder, self._watch)
            self.going_on.clear()
        except NodeConfigError as error:
            log.warning("zones.unreadable", reason=error.code)
            return False
        log.info("zones.adopted", zones=self._redrawn.zones, masks=masks)
        return True

    def _noted(self, judged: Judged) -> Judged:
        falls = [danger for danger in judged.dangers if danger.kind == "fall"]
        self._suspected = falls[-1].stage == "suspected" if falls else self._suspected
        for danger in judged.dangers:
            if danger.stage in {"suspected", "confirmed"}:
                self.going_on[danger.incident] = danger.kind
            else:
                self.going_on.pop(danger.incident, None)
        zones = self._redrawn.zones
        return replace(judged, dangers=tuple(replace(danger, zones=zones) for danger in judged.dangers))
