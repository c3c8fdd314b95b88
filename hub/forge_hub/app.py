"""The hub's composition root: builds every part, hands each its ports, runs them together."""

import asyncio
import contextlib
import dataclasses
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI

from forge_hub import access, control
from forge_hub.access.anchors import Anchors
from forge_hub.alerts.board import Accepted, AlertBoard
from forge_hub.alerts.projector import AlertProjection
from forge_hub.alerts.service import Alarms
from forge_hub.broker.child import BrokerChild, choose, reached
from forge_hub.doors import Doors, authority_of, doors_of, enrolment_of, external_login
from forge_hub.erasure import Eraser
from forge_hub.errors import AuthorityError, BrokerError
from forge_hub.fleet.authority import Authority
from forge_hub.fleet.commands import RoomCommands
from forge_hub.fleet.enrolment import Enrolment
from forge_hub.fleet.revocation import Revocation
from forge_hub.fleet.rooms import Rooms
from forge_hub.fleet.twins import Twins
from forge_hub.graph import open_graph
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import GraphProjection
from forge_hub.housekeeping import Housekeeping
from forge_hub.ingest.consumer import BrokerLogin, Consumer
from forge_hub.ingest.replay import Replayed
from forge_hub.ingest.store import Committed, IngestStore
from forge_hub.projection import Runner
from forge_hub.records.database import Database, open_database
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.retention import Kept
from forge_hub.retention import daily
from forge_hub.settings import HubSettings
from forge_hub.stays.consents import Consents
from forge_hub.stays.identities import Identities
from forge_hub.stays.register import Register
from forge_hub.telemetry.service import Telemetry
from forge_hub.web.application import create_application, end_streams
from forge_hub.web.parts import Fleet, Parts, Scrape, Upkeep
from forge_shared.clock import Clock, SystemClock
from forge_shared.files import owned_folder
from forge_shared.forms.questionnaire import Questionnaire, installed
from forge_shared.logs import get_logger
from forge_shared.tasks import until_first_failure

GRACE_SECONDS = 3
"""How long open pages may keep the hub from stopping."""

SWITCH_SECONDS = 0.0005
"""How long a thread that computes keeps the interpreter when another wants it. The event loop asks for it after every
read and write of a socket: with Python's own 5 ms it takes in a few hundred messages a second beside a busy projection.
"""
APPLY_AGAIN_SECONDS = 10.0
"""Until revocations that could not be applied are tried again. Ours."""

ANCHORS = "audit-anchors"
"""Name of the file of the audit's anchors in the state folder."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Keys:
    """The site's keys and what is decided of its doors."""

    doors: Doors
    authority: Authority
    enrolment: Enrolment
    revocation: Revocation

    async def apply_revocations(self) -> Mapping[str, Any]:
        """Carry out the command line's wish that what it revoked takes effect."""
        return {"nodes": await self.revocation.apply()}


class Hub:
    """A hub on one state folder. `serve` runs it until it is told to end."""

    def __init__(self, settings: HubSettings) -> None:
        self._settings = settings
        self._clock = SystemClock()

    async def serve(self) -> None:
        """Run the hub until SIGTERM or SIGINT.

        Raises:
            HubError: A part cannot be started; the message says which and what to do.
        """
        settings = self._settings
        sys.setswitchinterval(SWITCH_SECONDS)
        doors = doors_of(settings)
        with owned_folder(settings.folder) as folder:
            authority = authority_of(settings, self._clock)
            for sentence in authority.prepare(settings.site, doors.names):
                log.info("authority.made", what=sentence)
            database = open_database(records_url(settings))
            graph = open_graph(graph_uri(settings), settings.graph_password)
            try:
                enrolment = enrolment_of(settings, database, authority, self._clock)
                async with _broker(settings, folder, authority) as (login, broker):
                    revocation = Revocation(enrolment, authority, partial(_tell_broker, broker, authority))
                    keys = Keys(doors, authority, enrolment, revocation)
                    await self._run(folder, database, graph, login, broker, keys)
            finally:
                graph.close()
                database.close()

    async def _run(  # noqa: PLR0913 (what `serve` has opened)
        self,
        folder: Path,
        database: Database,
        graph: GraphStore,
        login: BrokerLogin,
        broker: BrokerChild | None,
        keys: Keys,
    ) -> None:
        settings, clock = self._settings, self._clock
        forms = installed(settings.forms_dir)
        rooms: RoomCommands
        consents = Consents(database, clock)
        identities = open_identities(settings, database, clock)

        async def publish_retained(topic: str, payload: bytes) -> None:
            await consumer.publish_retained(topic, payload)

        twins = Twins(settings.site, database, publish_retained, plans=settings.room_plans)

        async def on_accepted(told: Accepted) -> None:
            await _tell(rooms.alert_accepted, told)

        async def on_reopened(told: Accepted) -> None:
            await _tell(rooms.alert_reopened, told)

        zone = ZoneInfo(settings.time_zone)
        board = AlertBoard(database, clock, on_accepted=on_accepted, on_reopened=on_reopened, zone=zone)
        runners = [
            Runner(database, AlertProjection(database, clock), on_applied=board.changed),
            Runner(database, RecordsProjection(database, forms, keys.authority.authority_pem())),
            Runner(database, GraphProjection(graph, consents.inferences)),
        ]

        def on_committed(committed: Committed) -> None:
            telemetry.metrics.committed(committed)
            for runner in runners:
                runner.wake()

        store = IngestStore(settings.site, database, clock)
        consumer = Consumer(
            site=settings.site,
            login=login,
            store=store,
            rooms=Rooms(database, clock),
            version=version("persona-forge-hub"),
            version_file=folder / "mqtt-version",
            clock=clock,
            on_committed=on_committed,
            on_connected=twins.tell_all,
            on_room=twins.heard,
            on_shown=board.changed,
        )
        rooms = RoomCommands(settings.site, database, clock, consumer.publish)
        alarms = Alarms(settings, database, clock, board, consumer.publish)

        telemetry = Telemetry(
            database,
            clock,
            folder=folder,
            version=version("persona-forge-hub"),
            runners=runners,
            consumer=consumer,
            alarms=alarms,
            broker=broker,
            certificates=keys.authority.ends(),
        )
        housekeeping = Housekeeping(
            database,
            graph,
            runners=runners,
            clock=clock,
            eraser=eraser_of(database, graph, folder, identities),
            kept_days=retention_of(settings),
            on_changed=board.changed,
        )

        async def replay(entry_id: str | None) -> Replayed:
            # The projections find it at their next look, within a second.
            return await asyncio.to_thread(store.replay, entry_id)

        async def replay_quarantine(entry_id: str | None = None) -> Mapping[str, Any]:
            return dataclasses.asdict(await replay(entry_id))

        token = settings.metrics_token

        pages = create_application(
            Parts(
                site=settings.site,
                database=database,
                board=board,
                graph=graph,
                rooms=rooms,
                forms=forms,
                clock=clock,
                health=telemetry.health.states,
                zone=zone,
                https=keys.doors.https,
                fleet=Fleet(keys.enrolment, keys.revocation, keys.authority.authority_pem(), keys.doors.enrolment_url),
                register=Register(database, clock),
                consents=consents,
                identities=identities,
                twins=twins,
                upkeep=Upkeep(
                    replay, lambda: consumer.protocols, Scrape(token, telemetry.metrics.text) if token else None
                ),
                key=access.SecretKey.open(folder / "second-factor.key"),
                hosts=hosts(settings),
                staff_second_factor=settings.staff_second_factor,
            )
        )
        server = _server(settings, pages, keys)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stop, server, pages)
        await until_first_failure(
            server.serve(),
            self._announce(server, keys.doors, database, forms),
            _apply_once(keys.revocation),
            consumer.run(),
            Anchors(folder / ANCHORS).run(database, clock),
            alarms.run(),
            control.serve(
                folder / "control.sock",
                {
                    **housekeeping.commands,
                    "apply-revocations": keys.apply_revocations,
                    "quarantine-replay": replay_quarantine,
                },
            ),
            daily(housekeeping.forget_old),
            *(runner.run() for runner in runners),
            *([broker.watch()] if broker else []),
        )
        identities.close()
        log.info("hub.stopped")

    async def _announce(
        self, server: uvicorn.Server, doors: Doors, database: Database, forms: Mapping[str, Questionnaire]
    ) -> None:
        while not server.started:
            await asyncio.sleep(0.02)
        address = self._settings.public_url or _address(server, doors)
        print(f"Persona-Forge hub of site '{self._settings.site}': {address}", flush=True)  # noqa: T201 (for the person at the terminal)
        link = access.first_run_link(database, self._clock, address)
        if link is not None:
            print(f"No account yet. Make the first one here, within a day, once: {link}", flush=True)  # noqa: T201 (the same)
        log.info("hub.started", site=self._settings.site, forms=len(forms))
        await asyncio.Event().wait()


def records_url(settings: HubSettings) -> str:
    """Return the SQLAlchemy URL of the records."""
    if settings.records_url is not None:
        return settings.records_url.get_secret_value()
    return f"sqlite:///{settings.folder / 'records.db'}"


def hosts(settings: HubSettings) -> frozenset[str]:
    """Return the names under which browsers reach the pages, besides those of this machine itself."""
    names = {urlsplit(settings.public_url or "").hostname, settings.host, *settings.host_names}
    return frozenset(name.lower() for name in names if name)


def graph_uri(settings: HubSettings) -> str:
    """Return the URI of the graph."""
    return settings.graph_uri or f"ladybug://{settings.folder / 'graph.lbdb'}"


def open_identities(settings: HubSettings, database: Database, clock: Clock) -> Identities:
    """Open who the people are.

    Raises:
        IdentityError: The store or its keys cannot be opened.
    """
    url = settings.identities_url
    place = f"sqlite:///{settings.folder / 'identities.db'}" if url is None else url.get_secret_value()
    return Identities(place, settings.folder / "keys", database, clock)


def eraser_of(database: Database, graph: GraphStore, folder: Path, identities: Identities) -> Eraser:
    """Return what erases people from this hub."""
    return Eraser(database, graph, folder, identities.forget_person)


def retention_of(settings: HubSettings) -> Mapping[Kept, int]:
    """Return for how many days what is kept; what is not named is kept."""
    given: dict[Kept, int | None] = {"utterances": settings.keep_utterances_days, "forms": settings.keep_forms_days}
    return {kind: days for kind, days in given.items() if days is not None}


@asynccontextmanager
async def _broker(
    settings: HubSettings, folder: Path, authority: Authority
) -> AsyncIterator[tuple[BrokerLogin, BrokerChild | None]]:
    if settings.broker == "external":
        yield external_login(settings), None
        return
    home = folder / "broker"
    home.mkdir(mode=0o700, exist_ok=True)
    child = BrokerChild(
        choose(settings.broker),
        folder=home,
        authority=authority,
        site=settings.site,
        host=settings.broker_host,
        port=settings.broker_port,
    )
    await child.start()
    try:
        yield BrokerLogin(reached(settings.broker_host), settings.broker_port, tls=authority.hub_context()), child
    finally:
        await child.stop()


async def _tell(command: Callable[[str, str], Awaitable[None]], told: Accepted) -> None:
    # The room is told as a courtesy: that a person has taken the alert stands whether or not it hears of it.
    try:
        await command(told.node, told.event_id)
    except BrokerError:
        log.warning("room.not-told", node=told.node)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again, which ends the process before its children are."""
        yield


def _server(settings: HubSettings, pages: FastAPI, keys: Keys) -> _Server:
    return _Server(
        uvicorn.Config(
            pages,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
            # Whose word it is that a request came by HTTPS: the proxy's only where there is one.
            proxy_headers=keys.doors.https and not keys.doors.own,
            ssl_certfile=keys.authority.server_certificate_file if keys.doors.own else None,
            ssl_keyfile=keys.authority.server_key_file if keys.doors.own else None,
        )
    )


def _stop(server: uvicorn.Server, pages: FastAPI) -> None:
    # An open board would otherwise hold the server until its grace is over.
    end_streams(pages)
    server.should_exit = True


def _address(server: uvicorn.Server, doors: Doors) -> str:
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    return f"{'https' if doors.own else 'http'}://{host}:{port}"


async def _tell_broker(broker: BrokerChild | None, authority: Authority, nodes: Sequence[str]) -> None:
    if broker is not None:
        await broker.apply_revocations(nodes)
    else:
        log.warning("broker.must-read-list", file=str(authority.revocations_file))


async def _apply_once(revocation: Revocation) -> None:
    """Put on the list what was revoked while no hub served; on a full disk as soon as there is room."""
    while True:
        try:
            await revocation.apply()
            break
        except AuthorityError:
            log.exception("revocations.not-applied")
            await asyncio.sleep(APPLY_AGAIN_SECONDS)
    await asyncio.Event().wait()
