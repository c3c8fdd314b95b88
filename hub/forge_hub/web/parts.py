"""What the pages are given by the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from pydantic import SecretStr

from forge_hub.access import SecretKey
from forge_hub.alerts.board import AlertBoard
from forge_hub.fleet.commands import RoomCommands
from forge_hub.fleet.enrolment import Enrolment
from forge_hub.fleet.revocation import Revocation
from forge_hub.fleet.twins import Twins
from forge_hub.graph.ports import GraphStore
from forge_hub.ingest.journal import Journal
from forge_hub.ingest.replay import Replayed
from forge_hub.records.database import Database
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.intake import Intake
from forge_hub.releases.rollouts import Rollouts
from forge_hub.stays.consents import Consents
from forge_hub.stays.identities import Identities
from forge_hub.stays.register import Register
from forge_shared.clock import Clock
from forge_shared.forms.questionnaire import Questionnaire


@dataclass(frozen=True, slots=True)
class Fleet:
    """The nodes' identities as the pages see them.

    Attributes:
        authority: Certificate of the site's authority, PEM: public.
        url: Where a node brings a claim; None where the hub has no HTTPS of its own.
        releases: Folder of the model releases, which nodes fetch; None: none are given out.
        install_folder: Where the bundle lies that fresh machines become nodes from, if one was made.
    """

    enrolment: Enrolment
    revocation: Revocation
    authority: bytes
    url: str | None
    releases: Path | None = None
    install_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Scrape:
    """The hub's numbers: the token that opens them, and the page. ``read`` blocks on the stores."""

    token: SecretStr
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What those need who run the hub.

    Attributes:
        replay: Lets what is in quarantine, or one entry of it, enter the log where it can be read now.
        protocols: What the nodes that have come online speak, by node.
        scrape: The hub's numbers; None: nobody may read them.
    """

    replay: Callable[[str | None], Awaitable[Replayed]]
    protocols: Callable[[], Mapping[str, int]]
    scrape: Scrape | None = None


@dataclass(frozen=True, slots=True)
class Releases:
    """The site's model releases.

    Attributes:
        catalogue: What is published and what waits for approval. Blocks on the disk.
        intake: Takes what is uploaded.
        rollouts: Which rooms get what and when. Blocks on the store.
    """

    catalogue: Catalogue
    intake: Intake
    rollouts: Rollouts


@dataclass(frozen=True, slots=True)
class Parts:
    """The hub's parts as the pages see them.

    Attributes:
        health: State of each part by name: ``ok``, or a code. Shown on ``/healthz``; blocks on the stores.
        fleet: The nodes' identities.
        zone: The site's time zone, in which shifts are kept.
        https: Whether the site is reached by HTTPS, so that cookies may be marked Secure.
        key: Seals the secrets of second factors.
        hosts: Names under which browsers reach the pages, without ports; requests for others are refused.
        staff_second_factor: Whether staff need a one-time code too.
        upkeep: What those need who run the hub.
        journal: Logs what people decide on these pages. Blocks on the database.
        releases: The site's model releases.
    """

    site: str
    database: Database
    board: AlertBoard
    graph: GraphStore
    rooms: RoomCommands
    forms: Mapping[str, Questionnaire]
    clock: Clock
    health: Callable[[], Mapping[str, str]]
    https: bool
    key: SecretKey
    hosts: frozenset[str]
    fleet: Fleet
    register: Register
    consents: Consents
    identities: Identities
    twins: Twins
    upkeep: Upkeep
    journal: Journal
    releases: Releases
    staff_second_factor: bool = False
    zone: tzinfo = UTC
