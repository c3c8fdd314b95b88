"""What finds people here, and when it must look: the eyes' networks, ready to use."""

from collections.abc import Callable
from pathlib import Path

from forge_edge.errors import EngineError
from forge_edge.update.slots import serving
from forge_edge.vision.attention import Attention, small_copy
from forge_edge.vision.backends import PassedOver, open_pose
from forge_edge.vision.ports import Picture, PoseReader
from forge_edge.vision.released import ReleasedNetworks
from forge_shared.logs import get_logger

log = get_logger()


def finder(models: Path) -> PoseReader:
    """Open the networks on the first back end that proves itself; each that is passed over is logged.

    They are those of the release that serves. One that is on trial and cannot be opened is not hidden: the trial ends.
    One that did well once, and is damaged, gives way to what came with the node.

    Args:
        models: The node's slots.

    Raises:
        EngineMissingError: The weights are missing or not the examined ones.
        InferenceError: No back end can run them.
    """
    served = serving(models, "pose")
    if served is None:
        return open_pose(_passed_over)
    try:
        return ReleasedNetworks(served.folder, served.manifest).open(_passed_over)
    except EngineError as error:
        if served.is_on_trial:
            raise
        log.warning("release.left-out", role="pose", reason=error.code)
        return open_pose(_passed_over)


def attention() -> Callable[[Picture, float], bool]:
    """Return what tells of each picture of one camera whether a network must look at it."""
    attentive = Attention()

    def is_due(picture: Picture, at_s: float) -> bool:
        return attentive.is_due(small_copy(picture), at_s)

    return is_due


def _passed_over(one: PassedOver) -> None:
    # Which back ends a machine lacks is no news; that one failed while it ran is.
    say = log.warning if one.running else log.info
    say("backend.passed-over", network=one.network, backend=one.backend, reason=one.reason)
