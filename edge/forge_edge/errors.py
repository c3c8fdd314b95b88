"""The error tree of the room node.

ForgeError
└── NodeError
    ├── AudioError
    │   ├── AudioUnreadableError   audio.unreadable
    │   └── AudioSourceLostError   audio.source-lost
    ├── EngineError                engine.failed
    │   └── EngineMissingError     engine.missing
    ├── OutboxError                outbox.failed
    │   └── DiskFullError          disk.full
    ├── EnrolmentError             enrolment.failed
    ├── ScreenError
    │   ├── DoorError              screen.door
    │   ├── RoomBusyError          screen.room-busy
    │   └── TapInvalidError        screen.tap-invalid
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


class OutboxError(NodeError):
    """The outbox cannot store an event."""

    code = "outbox.failed"


class DiskFullError(OutboxError):
    """The disk takes no more, although all that may be thinned was."""

    code = "disk.full"


class EnrolmentError(NodeError):
    """The node was not given an identity, or its identity was not renewed; the message says why."""

    code = "enrolment.failed"


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


class NodeConfigError(NodeError):
    """The node's settings contradict each other or name something that does not exist."""

    code = "node.config"
