"""The node's core and composition root: the room, what it keeps and sends, and the children it watches.

The core is pure Python and touches no device.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from forge_edge import room_files
from forge_edge.children import EarsChild, EyesChild
from forge_edge.counterpart import Counterpart
from forge_edge.dialogue.saved import SavedConversation
from forge_edge.enrolment import Renewal, certificate_begins
from forge_edge.home.device import HomeDevice
from forge_edge.hub_line import FromHub, HubLine, from_hub
from forge_edge.hub_voice import HubVoice
from forge_edge.outbox.home_line import HomeLine
from forge_edge.outbox.outboxes import open_outboxes
from forge_edge.outbox.publisher import BrokerAddress, Publisher
from forge_edge.room import Room
from forge_edge.room_clock import RoomClock
from forge_edge.room_files import RoomFiles
from forge_edge.screen.light import Night
from forge_edge.settings import NodeSettings, load_credentials
from forge_edge.update.slots import MODELS, Slots
from forge_edge.updating.parts import Parts
from forge_edge.updating.proving import ChildProver
from forge_edge.updating.updater import Updater
from forge_shared import service_manager
from forge_shared.clock import SystemClock
from forge_shared.enrolment import Credentials
from forge_shared.errors import FormInvalidError, FormUnknownError
from forge_shared.files import owned_folder
from forge_shared.forms.questionnaire import Questionnaire, installed, obstacle
from forge_shared.logs import get_logger
from forge_shared.sealing import Keyring
from forge_shared.tasks import until_first_failure
from forge_shared.wire import TROUBLE_SINCE, RoomTrouble

TWIN_SECONDS = 10.0
"""How often the node says how it is, beside every change."""
WATCHDOG_SECONDS = 5.0
TICK_SECONDS = 0.5

C = TypeVar("C", EarsChild, EyesChild)

log = get_logger()


class Node:
    """A room node on one state folder. `run` keeps it going until it is told to end.

    Args:
        settings: How the node is run.
        ears_command: The program that hears and speaks; default: the one shipped.
        eyes_command: The program that sees, where a camera is set; default: the one shipped.
    """

    def __init__(
        self,
        settings: NodeSettings,
        *,
        ears_command: Sequence[str] | None = None,
        eyes_command: Sequence[str] | None = None,
    ) -> None:
        self._settings = settings
        self._ears = EarsChild.shipped if ears_command is None else _child_of(EarsChild, ears_command)
        self._eyes = EyesChild.shipped if eyes_command is None else _child_of(EyesChild, eyes_command)
        self._clock = RoomClock(SystemClock())
        self._version = version("persona-forge-edge")

    async def run(self) -> None:
        """Run the node until SIGTERM or SIGINT.

        Raises:
            NodeError: Settings contradict each other or the outbox cannot be opened.
        """
        settings = self._settings
        forms = _forms(settings)
        credentials = load_credentials(settings.credentials) if settings.credentials else None
        renewal = None
        if settings.credentials is not None and credentials is not None:
            self._clock.not_before(certificate_begins(credentials))
            renewal = Renewal(settings.credentials, credentials, self._clock)
        with owned_folder(settings.folder) as folder:
            files = self._files(folder, forms, credentials)
            try:
                room = Room(
                    settings,
                    files,
                    clock=self._clock,
                    release=self._version,
                    sign=renewal.sign if renewal is not None else None,
                    ears=partial(self._ears, folder / "core.sock"),
                    eyes=partial(self._eyes, folder / "eyes.sock") if settings.camera is not None else None,
                )
                await room.prepare()
                tasks: list[Coroutine[Any, Any, None]] = [room.listening.run(), self._tick(room, files), _until_told()]
                if settings.camera is not None:
                    tasks.append(room.watching.run())
                if renewal is not None and credentials is not None:
                    counterpart = Counterpart(folder / "hub-protocol")
                    voice = HubVoice(
                        renewal.credentials, folder / "hub-signs", self._clock, is_told=lambda: room.is_told
                    )
                    device = HomeDevice(credentials.site, credentials.node, self._version)
                    line = HomeLine(device.subscriptions if settings.home_assistant else (), room.at_home.on_message)
                    publisher = self._publisher(room, files, renewal, counterpart, voice, line)
                    room.connect(publisher, device, partial(troubles_for_hub, voice, counterpart))
                    updater = self._updater(folder, room, renewal)
                    await updater.prepare()
                    tasks.extend((publisher.run(), renewal.run(publisher.reconnect), updater.run()))
                if settings.screen_port is not None:
                    from forge_edge.screen.server import serve  # noqa: PLC0415 (9 MB that a room without a screen saves)

                    night = Night(settings.screen_night_begins_hour, settings.screen_night_ends_hour)
                    word = settings.wake_words[0].replace("_", " ")
                    tasks.append(serve(room.shown(night), folder, settings.screen_port, word))
                await room.close_interrupted_session()
                log.info("node.started", alone=credentials is None)
                await until_first_failure(*tasks)
            finally:
                files.outboxes.close()
            log.info("node.stopped")

    def _files(self, folder: Path, forms: dict[str, Questionnaire], credentials: Credentials | None) -> RoomFiles:
        settings = self._settings
        plan = room_files.room_plan(settings.room_plan)
        names = room_files.known_names(settings.known_names)
        keyring = Keyring.open(settings.key_file or folder / "keys" / "device.key")
        return RoomFiles(
            folder,
            forms,
            plan,
            names,
            SavedConversation(folder / room_files.CONVERSATION, keyring),
            open_outboxes(
                folder / "outbox.db",
                credentials.site if credentials else "site",
                credentials.node if credentials else "node",
                self._clock,
                limit_bytes=settings.outbox_limit_megabytes * 1_000_000,
                keyring=keyring,
            ),
        )

    def _updater(self, folder: Path, room: Room, renewal: Renewal) -> Updater:
        line = HubLine(renewal.credentials, self._clock)
        updater = Updater(
            Parts(
                folder=folder,
                slots=Slots(folder / MODELS),
                look=from_hub(folder, line),
                source=FromHub(line),
                hang_up=line.hang_up,
                prover=ChildProver(),
                room=room.updates,
                clock=self._clock,
                hardware=self._settings.machine_kind,
            )
        )
        room.updates.releases, room.updates.wake = lambda: updater.releases, updater.wake
        return updater

    def _publisher(  # noqa: PLR0913 (what it speaks for, and with)
        self,
        room: Room,
        files: RoomFiles,
        renewal: Renewal,
        counterpart: Counterpart,
        voice: HubVoice,
        line: HomeLine,
    ) -> Publisher:
        credentials = renewal.credentials()
        return Publisher(
            files.outboxes,
            BrokerAddress(credentials.host, credentials.port, renewal.context),
            site=credentials.site,
            node=credentials.node,
            version=self._version,
            version_file=files.folder / "mqtt-version",
            clock=self._clock,
            voice=voice,
            on_command=room.on_command,
            on_desired=room.on_desired,
            on_hub=room.on_hub,
            on_acknowledged=room.on_acknowledged,
            on_protocol=counterpart.heard,
            on_hub_time=self._clock.hub_says,
            home=line,
        )

    async def _tick(self, room: Room, files: RoomFiles) -> None:
        """Watch deadlines and limits; say how the node is."""
        next_report = next_watchdog = 0.0
        next_canary = self._clock.monotonic_seconds() + 60 * self._settings.canary_minutes
        service_manager.notify("READY=1")
        while True:
            now = self._clock.monotonic_seconds()
            await room.look_after(now)
            if now >= next_canary:
                next_canary = now + 60 * self._settings.canary_minutes
                await room.prove_alarms()
            if now >= next_report:
                next_report = now + TWIN_SECONDS
                await asyncio.to_thread(files.outboxes.tend)
                room.report()
            if now >= next_watchdog:
                await room.remind()
                next_watchdog = now + WATCHDOG_SECONDS
                service_manager.notify("WATCHDOG=1")
            await asyncio.sleep(TICK_SECONDS)


def _forms(settings: NodeSettings) -> dict[str, Questionnaire]:
    forms = installed(settings.forms_dir)
    if settings.form not in forms:
        raise FormUnknownError(f"there is no form {settings.form}; installed: {', '.join(sorted(forms))}")
    if (reason := obstacle(forms[settings.form])) is not None:
        raise FormInvalidError(f"the form {settings.form} cannot be offered in a room: {reason}")
    return forms


def _child_of(kind: Callable[..., C], command: Sequence[str]) -> Callable[..., C]:
    def make(socket_path: Path, **callbacks: Any) -> C:  # noqa: ANN401 (the callbacks of the kind)
        return kind(command, socket_path, **callbacks)

    return make


def troubles_for_hub(
    voice: HubVoice, counterpart: Counterpart, of_machine: tuple[RoomTrouble, ...]
) -> tuple[RoomTrouble, ...]:
    """Return what the hub is told: what is wrong with the machine, and with what came in the hub's name.

    An older hub knows fewer codes, and would refuse all that the room says for one that it does not know.
    """
    refused: tuple[RoomTrouble, ...] = ("word.refused",) if voice.refuses else ()
    spoken = counterpart.protocol or 1
    return tuple(each for each in (*of_machine, *refused) if spoken >= TROUBLE_SINCE.get(each, 1))


async def _until_told() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
