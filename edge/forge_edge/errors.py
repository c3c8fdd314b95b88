"""The error tree of the room node.

ForgeError
└── NodeError
    ├── AudioError
    │   ├── AudioUnreadableError   audio.unreadable
    │   └── AudioSourceLostError   audio.source-lost
    ├── EngineError                engine.failed
    │   ├── EngineMissingError     engine.missing
    │   └── InferenceError         inference.failed
    ├── CameraError                camera.failed
    │   ├── CameraLostError        camera.lost
    │   │   └── CameraSilentError  camera.silent
    │   ├── CameraStuckError       camera.stuck
    │   └── CameraEndedError       camera.ended
    ├── OutboxError                outbox.failed
    │   └── DiskFullError          disk.full
    ├── EnrolmentError             enrolment.failed
    ├── DrawingError               drawing.failed
    │   ├── DrawingInvalidError    drawing.invalid
    │   └── DrawingRefusedError    drawing.refused
    ├── ScreenError
    │   ├── DoorError              screen.door
    │   ├── RoomBusyError          screen.room-busy
    │   └── TapInvalidError        screen.tap-invalid
    ├── UpdateError
    │   ├── UpdateRefusedError     update.refused
    │   └── UpdateUnreachableError update.unreachable
    ├── HomeCommandError           home.command
    ├── TextUndecodableError       text.undecodable
    └── NodeConfigError            node.config
"""

from forge_shared.errors import ForgeError


class NodeError(ForgeError):
    """Any error of the room node."""

    code = "node"


class AudioError(NodeError):
    """Sound could not be captured, read or played."""

    code = "audio"


class AudioUnreadableError(AudioError):
    """A sound file is missing or cannot be decoded."""

    code = "audio.unreadable"


class AudioSourceLostError(AudioError):
    """A microphone vanished or fell silent in a way that only a fault explains."""

    code = "audio.source-lost"


class EngineError(NodeError):
    """A speech engine or wake-word engine failed."""

    code = "engine.failed"


class EngineMissingError(EngineError):
    """An engine's program, package or model is not installed; the message says how to get it."""

    code = "engine.missing"


class CameraError(NodeError):
    """A camera cannot be used."""

    code = "camera.failed"


class CameraLostError(CameraError):
    """A camera that worked gives no pictures any more; it may come back."""

    code = "camera.lost"


class CameraSilentError(CameraLostError):
    """A camera is there and gives no pictures."""

    code = "camera.silent"


class CameraStuckError(CameraError):
    """A camera does not let go: only the end of the process frees it."""

    code = "camera.stuck"


class CameraEndedError(CameraError):
    """A recording is at its end."""

    code = "camera.ended"


class InferenceError(EngineError):
    """A network could not be run, or its runtime failed while it ran."""

    code = "inference.failed"


class OutboxError(NodeError):
    """The outbox cannot store an event."""

    code = "outbox.failed"


class DiskFullError(OutboxError):
    """The disk takes no more, although all that may be thinned was."""

    code = "disk.full"


class EnrolmentError(NodeError):
    """The node was not given an identity, or its identity was not renewed; the message says why."""

    code = "enrolment.failed"


class DrawingError(NodeError):
    """Zones and masks could not be drawn, or there is nothing to take back."""

    code = "drawing.failed"


class DrawingInvalidError(DrawingError):
    """What was drawn is no area: a line crosses itself, corners are missing or lie outside the picture."""

    code = "drawing.invalid"


class DrawingRefusedError(DrawingError):
    """Whoever asked has not come from the room's own screen, comes too late, or a second time."""

    code = "drawing.refused"


class TextUndecodableError(NodeError):
    """What was given as text is not UTF-8; the message names the line, never what it holds."""

    code = "text.undecodable"


class ScreenError(NodeError):
    """The room's screen was refused something."""

    code = "screen"


class DoorError(ScreenError):
    """Whoever asked is not the browser of this room's own screen."""

    code = "screen.door"


class RoomBusyError(ScreenError):
    """The room did not take a touch in time."""

    code = "screen.room-busy"


class TapInvalidError(ScreenError):
    """What was sent is nothing that the screen's page can send."""

    code = "screen.tap-invalid"


class HomeCommandError(NodeError):
    """Home Assistant asked for something that the room does not do. ``reason`` is a code of our own."""

    code = "home.command"

    def __init__(self, reason: str) -> None:
        super().__init__(f"what Home Assistant asked for is not done: {reason}")
        self.reason = reason


class UpdateError(NodeError):
    """A model release was not taken; what runs is as it was."""

    code = "update"


class UpdateRefusedError(UpdateError):
    """A release, or what is said of it, is not trusted or does not fit. ``reason`` is a code of our own."""

    code = "update.refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the release is refused: {reason}")
        self.reason = reason


class UpdateUnreachableError(UpdateError):
    """Releases cannot be fetched now; trying again later goes on from what is there."""

    code = "update.unreachable"


class NodeConfigError(NodeError):
    """The node's settings contradict each other or name something that does not exist."""

    code = "node.config"
