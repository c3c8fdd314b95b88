"""The hub's composition root: builds every part, hands each its ports, runs them together."""

import asyncio
import contextlib
import dataclasses
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from forge_hub import access, control
from forge_hub.alerts.board import Accepted, AlertBoard
from forge_hub.alerts.projector import AlertProjection
from forge_hub.broker.child import BrokerChild, choose
from forge_hub.broker.users import HUB_USER, BrokerUsers
from forge_hub.errors import BrokerError, HubConfigError
from forge_hub.fleet.commands import RoomCommands
from forge_hub.fleet.rooms import Rooms
from forge_hub.graph import open_graph
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import GraphProjection
from forge_hub.ingest.consumer import BrokerLogin, Consumer
from forge_hub.ingest.store import Committed, IngestStore
from forge_hub.projection import Runner, catch_up
from forge_hub.records.database import Database, open_database
from forge_hub.records.projector import RecordsProjection
from forge_hub.settings import HubSettings
from forge_hub.web.application import create_application, end_streams
from forge_hub.web.parts import Parts
from forge_shared.clock import SystemClock
from forge_shared.files import owned_folder
from forge_shared.forms.questionnaire import Questionnaire, installed
from forge_shared.logs import get_logger
from forge_shared.tasks import until_first_failure

GRACE_SECONDS = 3
"""How long open pages may keep the hub from stopping."""

log = get_logger()


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
        with owned_folder(settings.folder) as folder:
            database = open_database(records_url(settings))
            graph = open_graph(graph_uri(settings), settings.graph_password)
            try:
                async with _broker(settings, folder) as (login, broker):
                    await self._run(folder, database, graph, login, broker)
            finally:
                graph.close()
                database.close()

    async def _run(
        self, folder: Path, database: Database, graph: GraphStore, login: BrokerLogin, broker: BrokerChild | None
    ) -> None:
        settings, clock = self._settings, self._clock
        forms = installed(settings.forms_dir)
        rooms: RoomCommands

        async def on_accepted(accepted: Accepted) -> None:
            # The room is told as a courtesy: that a person has taken the alert stands whether or not it hears of it.
            try:
                await rooms.alert_accepted(accepted.node, accepted.event_id)
            except BrokerError:
                log.warning("room.not-told", node=accepted.node)

        board = AlertBoard(database, clock, on_accepted=on_accepted)
        runners = [
            Runner(database, AlertProjection(database, clock), on_applied=board.changed),
            Runner(database, RecordsProjection(database, forms)),
            Runner(database, GraphProjection(graph)),
        ]

        def on_committed(_: Committed) -> None:
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
            on_shown=board.changed,
        )
        rooms = RoomCommands(settings.site, database, clock, consumer.publish)

        def health() -> Mapping[str, str]:
            states = {f"projection.{runner.name}": runner.state for runner in runners}
            states["ingest"] = consumer.trouble or ("ok" if consumer.connected else "broker.disconnected")
            if broker is not None:
                states["broker"] = broker.state
            return states

        async def rebuild_graph() -> Mapping[str, Any]:
            runner = next(runner for runner in runners if runner.name == GraphProjection.name)
            async with runner.paused:
                events = await asyncio.to_thread(rebuild, database, graph)
            return {"events": events, **await asyncio.to_thread(graph.counts)}

        async def replay_quarantine(entry_id: str | None) -> Mapping[str, Any]:
            # The projections find it at their next look, within a second.
            return dataclasses.asdict(await asyncio.to_thread(store.replay, entry_id))

        pages = create_application(
            Parts(
                site=settings.site,
                database=database,
                board=board,
                graph=graph,
                rooms=rooms,
                forms=forms,
                clock=clock,
                health=health,
                https=(settings.public_url or "").startswith("https://"),
            )
        )
        server = _server(settings, pages)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stop, server, pages)
        await until_first_failure(
            server.serve(),
            self._announce(server, database, forms),
            consumer.run(),
            control.serve(
                folder / "control.sock", {"graph-rebuild": rebuild_graph, "quarantine-replay": replay_quarantine}
            ),
            *(runner.run() for runner in runners),
            *([broker.watch()] if broker else []),
        )
        log.info("hub.stopped")

    async def _announce(self, server: uvicorn.Server, database: Database, forms: Mapping[str, Questionnaire]) -> None:
        while not server.started:
            await asyncio.sleep(0.02)
        address = self._settings.public_url or _address(server)
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


def graph_uri(settings: HubSettings) -> str:
    """Return the URI of the graph."""
    return settings.graph_uri or f"ladybug://{settings.folder / 'graph.lbdb'}"


def rebuild(database: Database, graph: GraphStore) -> int:
    """Drop the graph and derive it anew from the event log; return the number of events applied."""
    graph.clear()
    return catch_up(database, GraphProjection(graph))


@asynccontextmanager
async def _broker(settings: HubSettings, folder: Path) -> AsyncIterator[tuple[BrokerLogin, BrokerChild | None]]:
    if settings.broker == "external":
        if settings.broker_password is None:
            raise HubConfigError("an external broker needs FORGE_HUB_BROKER_PASSWORD")
        login = BrokerLogin(
            settings.broker_host, settings.broker_port, settings.broker_username, settings.broker_password
        )
        yield login, None
        return
    home = folder / "broker"
    home.mkdir(mode=0o700, exist_ok=True)
    users = BrokerUsers(home / "users")
    # The hub's own password lives in memory only: a new one at every start.
    password = users.issue(HUB_USER)
    child = BrokerChild(
        choose(settings.broker),
        folder=home,
        users=home / "users",
        site=settings.site,
        host=settings.broker_host,
        port=settings.broker_port,
    )
    await child.start()
    try:
        yield BrokerLogin(settings.broker_host, settings.broker_port, HUB_USER, SecretStr(password)), child
    finally:
        await child.stop()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again, which ends the process before its children are."""
        yield


def _server(settings: HubSettings, pages: FastAPI) -> _Server:
    return _Server(
        uvicorn.Config(
            pages,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
        )
    )


def _stop(server: uvicorn.Server, pages: FastAPI) -> None:
    # An open board would otherwise hold the server until its grace is over.
    end_streams(pages)
    server.should_exit = True


def _address(server: uvicorn.Server) -> str:
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    return f"http://{host}:{port}"
