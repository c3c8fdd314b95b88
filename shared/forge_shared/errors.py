"""The error tree of the shared distribution.

ForgeError
├── EventInvalidError      event.invalid
│   └── EventMisplacedError    event.misplaced
├── EventUnknownError      event.unknown
├── TopicInvalidError      topic.invalid
├── FormInvalidError       form.invalid
├── FormUnknownError       form.unknown
├── ResponseInvalidError   response.invalid
├── AnswerUnfitError       answer.unfit
├── FolderBusyError        folder.busy
├── SealError              seal.failed
└── SignatureError         signature.invalid

Every distribution's tree hangs below `ForgeError`. A ``code`` is stable and safe to log; messages name fields and
identifiers of our own, never what a person said or entered.
"""

from typing import ClassVar


class ForgeError(Exception):
    """Any error that Persona-Forge raises on purpose."""

    code: ClassVar[str] = "forge"


class EventInvalidError(ForgeError):
    """A message is no valid event: not JSON, not CloudEvents, or its data do not fit its type."""

    code = "event.invalid"


class EventUnknownError(ForgeError):
    """An event's type or version is not one this program reads."""

    code = "event.unknown"


class EventMisplacedError(EventInvalidError):
    """An event of one lane came in the other: where nobody looks for alarms, or where every event is one."""

    code = "event.misplaced"


class TopicInvalidError(ForgeError):
    """A topic, or a part of one, is not of the form that `forge_shared.topics` builds."""

    code = "topic.invalid"


class FormInvalidError(ForgeError):
    """A questionnaire uses something outside the supported FHIR subset, or contradicts itself."""

    code = "form.invalid"


class FormUnknownError(ForgeError):
    """No questionnaire with that id is installed."""

    code = "form.unknown"


class ResponseInvalidError(ForgeError):
    """An answer names a question or an option that its questionnaire does not have."""

    code = "response.invalid"


class AnswerUnfitError(ForgeError):
    """What was entered is no answer to the question; the message says to the person what would be one."""

    code = "answer.unfit"


class FolderBusyError(ForgeError):
    """Another program is running on the same state folder."""

    code = "folder.busy"


class SealError(ForgeError):
    """Sealed bytes cannot be opened, or the keys that seal cannot be had."""

    code = "seal.failed"


class SignatureError(ForgeError):
    """A signature cannot be made, or is not what it should be."""

    code = "signature.invalid"
