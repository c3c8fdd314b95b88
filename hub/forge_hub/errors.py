"""The error tree of the hub.

ForgeError
└── HubError
    ├── HubConfigError       hub.config
    ├── RecordsError         records.failed
    ├── BrokerError          broker.failed
    ├── AccessError          access.refused
    ├── NotFoundError        record.unknown
    ├── AnswerInvalidError   answer.invalid
    └── (GraphError          graph.*, in forge_hub.graph.errors)
"""

from forge_shared.errors import ForgeError


class HubError(ForgeError):
    """Any error of the hub."""

    code = "hub"


class HubConfigError(HubError):
    """The hub's settings contradict each other or name something that does not exist."""

    code = "hub.config"


class RecordsError(HubError):
    """The relational store cannot be opened, migrated or written."""

    code = "records.failed"


class BrokerError(HubError):
    """The embedded broker cannot be started or does not answer."""

    code = "broker.failed"


class AccessError(HubError):
    """A person may not do this: no session, the wrong role, or a link that is used up."""

    code = "access.refused"


class NotFoundError(HubError):
    """There is no such record."""

    code = "record.unknown"


class AnswerInvalidError(HubError):
    """What a person entered does not fit: an unknown cause, level or time."""

    code = "answer.invalid"
