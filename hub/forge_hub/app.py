"""The hub's composition root: builds every part, hands each its ports, runs them together."""

import asyncio
import dataclasses
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from forge_hub import access, control
from forge_hub.access.anchors import Anchors
from forge_hub.alerts.board import Accepted, AlertBoard
from forge_hub.alerts.projector import AlertProjection
from forge_hub.alerts.service import Alarms
from forge_hub.broker.child import BrokerChild, choose, reached
from forge_hub.doors import Doors, authority_of, doors_of, enrolment_of, external_login, hosts
from forge_hub.errors import AuthorityError, BrokerError
from forge_hub.fleet import bundle
from forge_hub.fleet.authority import Authority
from forge_hub.fleet.commands import RoomCommands
from forge_hub.fleet.enrolment import Enrolment
from forge_hub.fleet.revocation import Revocation
from forge_hub.fleet.rooms import Rooms
from forge_hub.fleet.twins import Twins
from forge_hub.graph import open_graph
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import GraphProjection, inferences_of
from forge_hub.holdings import eraser_of, graph_uri, open_identities, plans_folder, records_url, retention_of
from forge_hub.home.service import home_desk
from forge_hub.housekeeping import Housekeeping
from forge_hub.ingest.consumer import BrokerLogin, Consumer
from forge_hub.ingest.journal import Journal
from forge_hub.ingest.replay import Replayed
from forge_hub.ingest.store import Committed, IngestStore
from forge_hub.passes import keeping
from forge_hub.passes.removal import Remover
from forge_hub.passes.served import HubDesk
from forge_hub.passes.stores import Stores
from forge_hub.passes.table_projection import InferredTables, SaidTables
from forge_hub.passes.tables import TableFolder
from forge_hub.projection import Runner
from forge_hub.records.database import Database, open_database
from forge_hub.records.projector import RecordsProjection
from forge_hub.releases.intake import Intake
from forge_hub.releases.projection import ReleaseProjection
from forge_hub.releases.service import RolloutService
from forge_hub.retention import daily
from forge_hub.settings import HubSettings
from forge_hub.stays.consents import Consents
from forge_hub.stays.register import Register
from forge_hub.telemetry.service import Telemetry
from forge_hub.web.application import create_application
from forge_hub.web.parts import Fleet, Parts, Releases, Scrape, Upkeep
from forge_hub.web.server import PageServer
from forge_shared import service_manager
from forge_shared.clock import SystemClock
from forge_shared.errors import SignatureError
from forge_shared.files import owned_folder
from forge_shared.forms.questionnaire import Questionnaire, installed
from forge_shared.logs import get_logger
from forge_shared.tasks import until_first_failure

SWITCH_SECONDS = 0.0005
"""How long a thread that computes keeps the interpreter when another wants it. The event loop asks for it after every
read and write of a socket: with Python's own 5 ms it takes in a few hundred messages a second beside a busy projection.
"""
APPLY_AGAIN_SECONDS = 10.0
"""Until revocations that could not be applied are tried again. Ours."""

WATCHDOG_SECONDS = 5.0
"""How often systemd is told that the hub lives: several times within the unit's limit."""

ANCHORS = "audit-anchors"
"""Name of the file of the audit's anchors in the state folder."""

Given = ParamSpec("Given")

log = get_logger()


@dataclass(frozen=True, slots=True)
class Keys:
    """The site's keys and what is decided of its doors."""

    doors: Doors
    authority: Authority
    enrolment: Enrolment
    revocation: Revocation

    def fleet(self, folder: Path) -> Fleet:
        """Return the nodes' identities, and what nodes fetch, as the pages see them; ``folder`` is the state folder."""
        authority, url = self.authority.authority_pem(), self.doors.enrolment_url
        return Fleet(self.enrolment, self.revocation, authority, url, folder / "releases", folder / bundle.FOLDER)

    async def apply_revocations(self) -> Mapping[str, Any]:
        """Carry out the command line's wish that what it revoked takes effect."""
        return {"nodes": await self.revocation.apply()}

    def serve(self, pages: FastAPI, settings: HubSettings) -> PageServer:
        """Return the server of the pages, which nobody has started yet."""
        own, authority = self.doors.own, self.authority
        files = str(authority.server_certificate_file), str(authority.server_key_file)
        return PageServer(settings, pages, certificate=files if own else None, proxied=self.doors.https and not own)


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

        sign = keys.authority.hub_signature
        twins = Twins(settings.site, database, publish_retained, sign=sign, clock=clock, plans=plans_folder(settings))

        async def on_accepted(told: Accepted) -> None:
            await _tell(rooms.alert_accepted, told)

        async def on_reopened(told: Accepted) -> None:
            await _tell(rooms.alert_reopened, told)

        zone = ZoneInfo(settings.time_zone)
        releases = RolloutService(database, folder, clock, zone=zone, tell=twins.refresh)
        desk = home_desk(settings.site, version("persona-forge-hub"), database, releases, publish_retained)
        board = AlertBoard(database, clock, on_accepted=on_accepted, on_reopened=on_reopened, zone=zone)
        records = RecordsProjection(database, forms, keys.authority.authority_pem())
        drawn = GraphProjection(graph, inferences_of(database))
        said, inferred = SaidTables(TableFolder(folder)), InferredTables(TableFolder(folder), database)
        runners = [
            Runner(database, AlertProjection(database, clock), on_applied=board.changed),
            Runner(database, records),
            Runner(database, drawn),
            Runner(database, said),
            Runner(database, inferred, after=[drawn]),
            Runner(database, ReleaseProjection(database), on_applied=releases.wake),
        ]

        def on_committed(committed: Committed) -> None:
            telemetry.metrics.committed(committed)
            for runner in runners:
                runner.wake()

        store = IngestStore(settings.site, database, clock)
        loop = asyncio.get_running_loop()
        journal = Journal(store, settings.site, clock, on_committed=partial(_wake, loop, runners))
        consumer = Consumer(
            site=settings.site,
            login=login,
            store=store,
            rooms=Rooms(database, clock),
            version=version("persona-forge-hub"),
            version_file=folder / "mqtt-version",
            clock=clock,
            on_committed=on_committed,
            on_connected=_after(desk.connected, twins.tell_all),
            on_room=_after(desk.wake, twins.heard),
            on_shown=board.changed,
            on_home=desk.heard if settings.home_assistant else None,
        )
        rooms = RoomCommands(settings.site, database, clock, consumer.publish, sign)
        alarms = Alarms(settings, database, clock, board, consumer.publish)

        telemetry = Telemetry(
            database,
            clock,
            folder=folder,
            version=version("persona-forge-hub"),
            runners=runners,
            consumer=consumer,
            alarms=alarms,
            rollouts=lambda: releases.state,
            broker=broker,
            certificates=keys.authority.ends(),
        )
        stores = Stores(
            settings.site,
            folder,
            database=database,
            graph=graph,
            log=store,
            filing=[records, said],
            drawing=[drawn, inferred],
            own=False,
        )
        transcripts = HubDesk(stores, Remover(folder, database, graph, clock), runners, folder)
        housekeeping = Housekeeping(
            database,
            graph,
            runners=runners,
            clock=clock,
            eraser=eraser_of(settings, database, graph, folder, identities),
            kept_days=retention_of(settings),
            on_derived=partial(keeping.derive_anew, folder),
            on_forgotten=partial(keeping.forget_emptied, folder, database),
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
                fleet=keys.fleet(folder),
                register=Register(database, clock),
                consents=consents,
                identities=identities,
                twins=twins,
                upkeep=Upkeep(
                    replay, lambda: consumer.protocols, Scrape(token, telemetry.metrics.text) if token else None
                ),
                journal=journal,
                releases=Releases(
                    releases.catalogue,
                    Intake(releases.catalogue, settings.release_upload_megabytes * 2**20),
                    releases.rollouts,
                ),
                key=access.SecretKey.open(folder / "second-factor.key"),
                hosts=hosts(settings),
                staff_second_factor=settings.staff_second_factor,
            )
        )
        server = keys.serve(pages, settings)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, server.end)
        await until_first_failure(
            server.serve(),
            self._announce(server, database, forms),
            _apply_once(keys.revocation),
            consumer.run(),
            Anchors(folder / ANCHORS).run(database, clock),
            alarms.run(),
            twins.run(),
            releases.run(),
            *([desk.run()] if settings.home_assistant else []),
            control.serve(
                folder / "control.sock",
                {
                    **housekeeping.commands,
                    **transcripts.commands,
                    **twins.commands,
                    **releases.commands,
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

    async def _announce(self, server: PageServer, database: Database, forms: Mapping[str, Questionnaire]) -> None:
        while not server.started:
            await asyncio.sleep(0.02)
        address = self._settings.public_url or server.address
        print(f"Persona-Forge hub of site '{self._settings.site}': {address}", flush=True)  # noqa: T201 (for the person at the terminal)
        link = access.first_run_link(database, self._clock, address)
        if link is not None:
            print(f"No account yet. Make the first one here, within a day, once: {link}", flush=True)  # noqa: T201 (the same)
        log.info("hub.started", site=self._settings.site, forms=len(forms))
        service_manager.notify("READY=1")
        while True:
            # From the event loop itself: a loop that no longer turns is started anew.
            service_manager.notify("WATCHDOG=1")
            await asyncio.sleep(WATCHDOG_SECONDS)


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


def _wake(loop: asyncio.AbstractEventLoop, runners: Sequence[Runner], _: Committed) -> None:
    # The journal is written in a thread.
    for runner in runners:
        loop.call_soon_threadsafe(runner.wake)


def _after(first: Callable[[], None], then: Callable[Given, Awaitable[None]]) -> Callable[Given, Awaitable[None]]:
    async def both(*args: Given.args, **named: Given.kwargs) -> None:
        first()
        await then(*args, **named)

    return both


async def _tell(command: Callable[[str, str], Awaitable[None]], told: Accepted) -> None:
    # The room is told as a courtesy: that a person has taken the alert stands whether or not it hears of it.
    try:
        await command(told.node, told.event_id)
    except (AuthorityError, BrokerError, SignatureError) as error:
        log.warning("room.not-told", node=told.node, reason=error.code)


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
