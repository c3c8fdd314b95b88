"""Whether somebody who should move does not move at all, not even as in breath or sleep."""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forge_edge.monitor.body import Body
from forge_edge.monitor.tracks import Track

WINDOW_SECONDS: Final = 20.0
"""Positions are averaged over this: single ones tremble by 0.3 to 1 % of a trunk though nobody moves (BlazePose on
GMDCSA-24)."""
FEWEST_LOOKS: Final = 10
OUTLIERS: Final = 2
"""How many of the looks of a window are left out at either end: now and then a joint is taken for something else."""
MOVED: Final = (0.02, 0.032)
"""Shift of a joint between two windows, in trunk lengths, that is a movement: of head, shoulders and hips (1 cm) and of
hands and knees (1.6 cm), which the network knows less well."""
_TRUNK_JOINTS: Final = [0, 11, 12, 23, 24]
_LIMBS: Final = [13, 14, 15, 16, 25, 26]
_JOINTS: Final = _TRUNK_JOINTS + _LIMBS
_EXCHANGED: Final = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9]
"""Where each of the joints stands when left and right are exchanged."""
_LIMITS: Final = np.array([MOVED[0]] * len(_TRUNK_JOINTS) + [MOVED[1]] * len(_LIMBS))
VISIBLE: Final = 0.5
FEWEST_JOINTS: Final = 6
"""Of eleven. Of who is under a cover too little is seen to say that nothing moves."""
STAYS: Final = 0.06
"""How far hips may be from where they were, as a share of the picture's width, to be the same person's."""
UNSEEN_SECONDS: Final = 90.0


@dataclass(slots=True)
class Rest:
    """Somebody at rest in a place.

    Attributes:
        number: By which they are known.
        since_s: Since when no movement was seen.
        middle: Of the hips, shares of the picture.
        seen_s: When they were seen last.
        window_s: When the window that is being filled began.
        joints: Where the joints were in the window before, ``(11, 2)``; NaN where hardly visible.
        looks: What was seen in this window.
    """

    number: int
    since_s: float
    middle: tuple[float, float]
    seen_s: float
    window_s: float
    joints: NDArray[np.float64] | None = None
    looks: list[Body] = field(default_factory=list)
    told: bool = False


class Stillness:
    """Follows everybody who stays in a place."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._rests: list[Rest] = []
        self._numbers = 0

    def see(self, at_s: float, tracks: list[Track]) -> list[tuple[Rest, bool]]:
        """Follow everybody; return who has not moved for too long since this look (True), or moves again (False)."""
        found: list[tuple[Rest, bool]] = [
            (rest, False) for rest in self._rests if rest.told and at_s - rest.seen_s > UNSEEN_SECONDS
        ]
        self._rests = [rest for rest in self._rests if at_s - rest.seen_s <= UNSEEN_SECONDS]
        for track in tracks:
            if not track.is_sure or track.last.at_s != at_s:
                continue
            body = track.last.body
            rest = self._at(body.hips)
            if rest is None:
                self._numbers += 1
                self._rests.append(Rest(self._numbers, at_s, body.hips, at_s, at_s, looks=[body]))
                continue
            rest.seen_s = at_s
            rest.looks.append(body)
            if at_s - rest.window_s >= WINDOW_SECONDS and len(rest.looks) >= FEWEST_LOOKS:
                moved = _close(rest, at_s)
                if moved and rest.told:
                    rest.told = False
                    found.append((rest, False))
                elif not moved and not rest.told and at_s - rest.since_s >= self.limit_s:
                    rest.told = True
                    found.append((rest, True))
        return found

    def forget(self, at_s: float) -> None:
        """What was at rest before is not known any more; who was told of is looked for where they were."""
        self._rests = [
            Rest(rest.number, rest.since_s, rest.middle, at_s, at_s, told=True) for rest in self._rests if rest.told
        ]

    def _at(self, hips: tuple[float, float]) -> Rest | None:
        near = [rest for rest in self._rests if math.dist(rest.middle, hips) <= STAYS]
        return min(near, key=lambda rest: math.dist(rest.middle, hips), default=None)


def _sides(points: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points, ``(n, 11, 2)``, with left and right as they are known, ``(11, 2)``: networks exchange them."""
    exchanged = points[:, _EXCHANGED]
    as_told = np.nansum(np.abs(points - known), axis=(1, 2))
    otherwise = np.nansum(np.abs(exchanged - known), axis=(1, 2))
    return np.where((otherwise < as_told)[:, None, None], exchanged, points)


def _close(rest: Rest, at_s: float) -> bool:
    """End a window; tell whether something moved since the one before."""
    points = np.stack([look.points[_JOINTS] for look in rest.looks])
    points = _sides(points, points[0] if rest.joints is None else rest.joints)
    visible = np.mean([look.visibility[_JOINTS] for look in rest.looks], axis=0) >= VISIBLE
    middle = np.sort(points, axis=0)[OUTLIERS:-OUTLIERS].mean(axis=0)
    joints = np.where(visible[:, None], middle, np.nan)
    trunk = float(np.median([look.trunk_seen for look in rest.looks]))
    rest.middle = rest.looks[-1].hips
    before, began_s = rest.joints, rest.window_s
    rest.joints, rest.looks, rest.window_s = joints, [], at_s
    if before is None:
        return False
    shifts = np.hypot(*(joints - before).T) / trunk
    known = np.isfinite(shifts)
    moved = bool((shifts[known] > _LIMITS[known]).any()) or int(known.sum()) < FEWEST_JOINTS
    if moved:
        rest.since_s = began_s
    return moved
