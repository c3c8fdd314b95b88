"""A hub's pages over a real store and a real graph, with a room and a person whose record a test can fill."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import select, update
from tests.fakes.keys import authority
from tests.fakes.mind_story import settler, tell_now
from tests.fakes.records import sqlite_records
from tests.fakes.releases import Site as ReleaseSite
from tests.fakes.releases import write_release
from tests.fakes.rollouts import RolloutWorld

from forge_hub.access import Access, Role, SecretKey, SignedIn, make_device
from forge_hub.alerts.board import Accepted, AlertBoard
from forge_hub.fleet.authority import Authority
from forge_hub.fleet.commands import RoomCommands
from forge_hub.fleet.enrolment import BrokerPlace, Enrolment
from forge_hub.fleet.revocation import Revocation
from forge_hub.fleet.twins import Twins
from forge_hub.graph import open_graph
from forge_hub.graph.ports import GraphStore
from forge_hub.ingest.journal import Journal
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.replay import Replayed, entries
from forge_hub.ingest.store import IngestStore
from forge_hub.records.database import Database
from forge_hub.records.schema import (
    Account,
    Alert,
    Base,
    FormAnswer,
    FormResponse,
    Person,
    Room,
)
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.intake import Intake
from forge_hub.stays.consents import Consents
from forge_hub.stays.identities import Identities, Identity
from forge_hub.stays.register import Register
from forge_hub.web.application import create_application, end_streams
from forge_hub.web.parts import Fleet, Parts, Releases, Scrape, Upkeep
from forge_shared.clock import Clock, SystemClock
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id

PASSWORD = "a quiet river in may"
PERSON = "stay-7f3a"
ROOM = "room-12"
PHQ9 = "https://personaforge.org/fhir/Questionnaire/phq-9|1.0.0"
ITEM_9 = "44260-8"
SAID = (
    "I always ruin everything, nothing I do ever works. My daughter [NAME] must be tired of me.",
    "Today was a good day, I was calm and happy in the garden.",
    "Mm.",
)


@dataclass
class HubPages:
    """The world a test alters: rooms connect, people say things, alerts come in."""

    database: Database
    graph: GraphStore
    board: AlertBoard
    parts: Parts
    app: FastAPI
    published: list[tuple[str, bytes]]
    health: dict[str, str]
    folder: Path
    world: RolloutWorld
    utterances: list[str] = field(default_factory=list)
    protocols: dict[str, int] = field(default_factory=dict)
    quarantined: str = ""
    free_bed: str = ""
    stay: str = ""
    settle: Callable[[], None] = lambda: None

    @property
    def now(self) -> datetime:
        return self.parts.clock.now()

    def add(self, *rows: Base) -> None:
        with self.database.begin() as transaction:
            for row in rows:
                transaction.add(row)
                transaction.flush()

    def account(self, role: Role, username: str | None = None) -> str:
        account = new_id()
        self.add(
            Account(
                id=account,
                username=username or role,
                role=role,
                password_hash=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD),
                created_at=self.now,
            )
        )
        return account

    def token(self, username: str) -> str:
        """Begin a session of an account as if its owner had shown everything that is needed."""
        access: Access = self.app.state.site.access
        with self.database.read() as transaction:
            account = transaction.scalars(select(Account.id).where(Account.username == username)).one()
        return access.begin(account, "test").token

    def assign(self, username: str, person: str = PERSON) -> None:
        """Let a clinician look after a person."""
        access: Access = self.app.state.site.access
        access.assignments.assign_from_command_line(username, person)

    def person_is_opened_in_an_emergency(self, username: str, person: str) -> None:
        """Admit another person, and let a clinician who is not assigned open their record."""
        access: Access = self.app.state.site.access
        self.add(Person(pseudonym=person, node=ROOM, first_seen=self.now - timedelta(days=30)))
        who = access.signed_in(self.token(username))
        assert who is not None
        access.assignments.begin_emergency(who, person, "covering-for-colleague", "The night shift is one short.")

    def room_connects(self, node: str = ROOM, **state: Any) -> None:
        values: dict[str, Any] = {
            "connection": "online",
            "hearing": "ok",
            "sight": "closed",
            "activity": "idle",
            "session_on": False,
            "pending_events": 0,
            "version": "0.1.0",
            "seen_at": self.now,
        }
        self.add(Room(node=node, **{**values, **state}))

    def alert_arrives(self, **values: Any) -> str:
        """Store an alert as the projection does. The caller wakes the board."""
        given: dict[str, Any] = {
            "event_id": new_id(),
            "node": ROOM,
            "subject": PERSON,
            "kind": "request",
            "severity": "normal",
            "detail": {"request": "water", "mode": "voice"},
            "late": False,
            "happened_at": self.now,
            "raised_at": self.now,
            "state": "open",
            "accepted_by": None,
            "accepted_at": None,
            "review": None,
        }
        alert = new_id()
        self.add(Alert(id=alert, **{**given, **values}))
        return alert

    def risk_is_answered(self, **values: Any) -> str:
        detail = {"questionnaire": PHQ9, "link_id": ITEM_9, "answer": "LA6569-3", "mode": "voice"}
        return self.alert_arrives(**{"kind": "risk-answer", "severity": "critical", "detail": detail, **values})

    def keys_are_begun(self) -> ReleaseSite:
        """Hold the ceremony of the site's keys."""
        return ReleaseSite.begun(self.folder / "releases", self.parts.clock)

    def releases_wait(self) -> ReleaseSite:
        """Hold the ceremony, publish a release and let a newer one wait for approval."""
        site = self.keys_are_begun()
        site.publish(write_release(self.folder / "release-1"))
        site.catalogue.add(write_release(self.folder / "release-2", version="1.1.0", counter=2))
        return site

    def room_is_probed(self) -> None:
        """Let every room say what its machine is."""
        with self.database.begin() as transaction:
            transaction.execute(update(Room).values(hardware="x86"))

    def rollout_begins(self) -> str:
        """Begin a roll-out of the published release to every room, and return its id."""
        self.room_is_probed()
        [target] = self.parts.releases.catalogue.images.targets()
        rollout = self.world.rollouts.start(target, account="command-line", why="Fewer misses", rings=(5, 50, 100))
        self.world.first_ring_opens(rollout)
        return rollout

    def message_cannot_be_read(self, topic: str = f"forge/v1/ward/{ROOM}/event/x", payload: bytes = b"{}") -> str:
        """Let something arrive that goes into quarantine; return its id there."""
        IngestStore("ward", self.database, self.parts.clock).commit([Arrived(topic, payload)])
        self.quarantined = entries(self.database)[-1].id
        return self.quarantined

    def someone_stays(self, node: str | None = None) -> None:
        """Make a ward of two beds with a stay in one of them, whose person is on file."""
        register = self.parts.register
        ward = register.add_ward("Ward 7", "test")
        bed = register.add_bed(ward, "Bed 1", node, "test")
        self.free_bed = register.add_bed(ward, "Bed 2", None, "test")
        self.stay = register.admit(bed, "test").id
        nurse = SignedIn(account_id="test", username="test", role="staff", csrf_token="-")
        self.parts.identities.file(self.stay, Identity(name="Rosalind Hollister"), nurse)

    def person_is_admitted(self) -> None:
        """File a person with a PHQ-9, a recorded session, and what the passes found in it.

        Every clinician who has an account by then looks after them.
        """
        now = self.now
        response = new_id()
        form = self.parts.forms["phq-9"]
        self.add(
            Person(pseudonym=PERSON, node=ROOM, first_seen=now - timedelta(days=2)),
            FormResponse(
                id=response,
                event_id=new_id(),
                subject=PERSON,
                node=ROOM,
                questionnaire=form.canonical,
                status="completed",
                total=10,
                re_prompts=2,
                started_at=now - timedelta(minutes=9),
                recorded_at=now - timedelta(minutes=5),
            ),
            *(
                FormAnswer(
                    response=response,
                    link_id=item.link_id,
                    ordinal=place,
                    code="LA6570-1" if place == 0 else "LA6569-3",
                    mode="voice",
                    times_asked=2 if place == 1 else 1,
                    corrected=place == 1,
                )
                for place, item in enumerate(form.questions[:9])
            ),
        )
        self.utterances = tell_now(self, PERSON, SAID, ROOM)
        with self.database.read() as transaction:
            clinicians = transaction.scalars(select(Account.username).where(Account.role == "clinician")).all()
        for username in clinicians:
            self.assign(username)


@contextmanager
def open_pages(  # noqa: PLR0913 (what a test wants otherwise)
    folder: Path,
    clock: Clock | None = None,
    *,
    https: bool = False,
    claims: bool = False,
    scrape: Scrape | None = None,
    health: Callable[[], Mapping[str, str]] | None = None,
) -> Iterator[HubPages]:
    clock = clock or SystemClock()
    database = sqlite_records(folder)
    graph = open_graph(f"ladybug://{folder / 'graph.lbdb'}", None)
    published: list[tuple[str, bytes]] = []
    well = {"ingest": "ok"}
    protocols: dict[str, int] = {}

    async def publish(topic: str, payload: bytes) -> None:
        published.append((topic, payload))

    keys = authority(folder)
    rooms = RoomCommands("ward", database, clock, publish, keys.hub_signature)

    async def on_accepted(accepted: Accepted) -> None:
        await rooms.alert_accepted(accepted.node, accepted.event_id)

    async def on_revoked(nodes: Sequence[str]) -> None:
        published.extend((f"revoked/{node}", b"") for node in nodes)

    store = IngestStore("ward", database, clock)
    settle = settler(database, graph)

    async def replay(entry_id: str | None) -> Replayed:
        return await asyncio.to_thread(store.replay, entry_id)

    board = AlertBoard(database, clock, on_accepted=on_accepted)
    catalogue = Catalogue(folder / "releases", clock)
    world = RolloutWorld(database, catalogue, clock)
    enrolment = Enrolment(database, keys, clock, site="ward", broker=BrokerPlace(None, 8883), certificate_days=90)
    fleet_url = "https://hub.test" if https or claims else None
    parts = Parts(
        site="ward",
        database=database,
        board=board,
        graph=graph,
        rooms=rooms,
        forms=installed(),
        clock=clock,
        health=health or (lambda: well),
        https=https,
        fleet=Fleet(
            enrolment,
            Revocation(enrolment, keys, on_revoked),
            keys.authority_pem(),
            fleet_url,
            folder / "releases",
            folder / "install",
        ),
        register=Register(database, clock),
        consents=Consents(database, clock),
        identities=Identities(f"sqlite:///{folder / 'identities.db'}", folder / "keys", database, clock),
        twins=Twins("ward", database, publish, sign=keys.hub_signature, clock=clock),
        upkeep=Upkeep(replay, lambda: protocols, scrape),
        journal=Journal(store, "ward", clock, on_committed=lambda _: settle()),
        releases=Releases(catalogue, Intake(catalogue, 2**20), world.rollouts),
        key=SecretKey.open(folder / "second-factor.key"),
        hosts=frozenset({"hub.test"}),
    )
    try:
        application = create_application(parts)
        yield HubPages(
            database,
            graph,
            board,
            parts,
            application,
            published,
            well,
            folder,
            world,
            protocols=protocols,
            settle=settle,
        )
    finally:
        parts.identities.close()
        graph.close()
        database.close()


def client(pages: HubPages, role: Role | None = None) -> httpx.AsyncClient:
    """Return a client of the application; signed in when a role with an account is given."""
    cookies = {pages.app.state.site.cookie: pages.token(role)} if role and role != "patient" else None
    headers = {}
    if role == "patient":
        headers["Authorization"] = f"Bearer {make_device(pages.database, pages.parts.clock, ROOM)}"
    transport = httpx.ASGITransport(pages.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://hub.test", cookies=cookies, headers=headers)


def csrf(pages: HubPages, http: httpx.AsyncClient) -> str:
    """Return the token that the pages' forms carry in this client's session."""
    who = pages.app.state.site.access.signed_in(http.cookies.get(pages.app.state.site.cookie))
    assert who is not None
    return str(who.csrf_token)


@asynccontextmanager
async def wire(address: str) -> AsyncIterator["Wire"]:
    """Put a wire that can fail between a browser and the server at ``address``."""
    target = urlsplit(address)
    assert target.hostname is not None
    assert target.port is not None
    opened = Wire(target.hostname, target.port)
    server = await asyncio.start_server(opened.carry, "127.0.0.1", 0)
    opened.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield opened
    finally:
        server.close()
        opened.end()


class Wire:
    """Carries bytes both ways until it goes silent: as with a lost radio link, nobody is told."""

    def __init__(self, host: str, port: int) -> None:
        self.address = ""
        self._host, self._port = host, port
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def fall_silent(self) -> None:
        self._open.clear()

    def come_back(self) -> None:
        """Carry new connections; those that were open stay silent for ever."""
        self._open = asyncio.Event()
        self._open.set()

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_writer: asyncio.StreamWriter | None = None
        is_open = self._open
        try:
            await is_open.wait()
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            await asyncio.gather(self._one_way(reader, far_writer, is_open), self._one_way(far_reader, writer, is_open))
        except (OSError, asyncio.CancelledError):
            pass  # a wire that ends says nothing
        finally:
            writer.close()
            if far_writer is not None:
                far_writer.close()

    async def _one_way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_open: asyncio.Event
    ) -> None:
        while data := await reader.read(65_536):
            await is_open.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def serve(pages: HubPages, keys: Authority | None = None) -> AsyncIterator[str]:
    """Serve the pages on a free port of this machine, by HTTPS when there are keys, and yield the address."""
    server = uvicorn.Server(
        uvicorn.Config(
            pages.app,
            host="127.0.0.1",
            port=0,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            ssl_certfile=keys.server_certificate_file if keys else None,
            ssl_keyfile=keys.server_key_file if keys else None,
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    try:
        yield f"{'https' if keys else 'http'}://{host}:{port}"
    finally:
        end_streams(pages.app)
        server.should_exit = True
        await asyncio.wait_for(task, 10)
