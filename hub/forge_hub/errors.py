"""The error tree of the hub.

ForgeError
└── HubError
    ├── HubConfigError       hub.config
    ├── RecordsError         records.failed
    ├── BrokerError          broker.failed
    ├── AuthorityError       authority.failed
    ├── EnrolmentError       enrolment.refused
    ├── AccessError          access.refused
    │   └── ConsentMissingError   consent.missing
    ├── NotFoundError        record.unknown
    ├── AnswerInvalidError   answer.invalid
    ├── StayError            stay.refused
    ├── IdentityError        identity.failed
    ├── ReleaseError         release.refused
    ├── TwinError            twin.refused
    ├── BundleError          install.bundle
    ├── TrainingError        training.failed
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


class AuthorityError(HubError):
    """The site's keys cannot be read or written, or a certificate request is not acceptable."""

    code = "authority.failed"


class EnrolmentError(HubError):
    """A node's identity is not given or not renewed: the claim or the certificate does not stand."""

    code = "enrolment.refused"


class AccessError(HubError):
    """A person may not do this: no session, the wrong role, or a link that is used up."""

    code = "access.refused"


class ConsentMissingError(AccessError):
    """A person has not consented to what was asked for, or does not any more."""

    code = "consent.missing"


class NotFoundError(HubError):
    """There is no such record."""

    code = "record.unknown"


class AnswerInvalidError(HubError):
    """What a person entered does not fit: an unknown cause, level or time."""

    code = "answer.invalid"


class StayError(HubError):
    """An admission, transfer or discharge that cannot be: the bed is taken, or the stay is over."""

    code = "stay.refused"


class ReleaseError(HubError):
    """A model release is not what it says, lacks a signature, or cannot be signed with this key."""

    code = "release.refused"


class TwinError(HubError):
    """What shall be set for a room cannot be read or written, is no plan, or is what is set already."""

    code = "twin.refused"


class BundleError(HubError):
    """What fresh machines become nodes from cannot be made."""

    code = "install.bundle"


class IdentityError(HubError):
    """The identity store or its keys cannot be opened, read or written."""

    code = "identity.failed"


class TrainingError(HubError):
    """A head cannot be trained: no encoder, no data, or the result is not one that may be shipped."""

    code = "training.failed"
