"""Whose room it is, what staff have set for them, and what they agreed to: as the hub told it, or its own file."""

import asyncio
from datetime import UTC, datetime, time

from forge_edge import desired, room_files
from forge_edge.anonymiser import Anonymiser, Sign
from forge_edge.dialogue.conversation import Dialogue, Speaker
from forge_edge.room_clock import RoomClock
from forge_edge.room_files import RoomFiles
from forge_edge.settings import NodeSettings
from forge_shared.logs import get_logger
from forge_shared.plan import QuietHours, RoomPlan
from forge_shared.wire import TwinDesired

log = get_logger()


class Stay:
    """The stay that the room knows of, and what follows from it for the dialogue and for what is told.

    Args:
        settings: How the node is run.
        files: What the room has on its disk.
        clock: The room's clock.
        sign: Signs what a person signs in a form with the node's key; None without one.

    Attributes:
        told: What the hub told last.
        plan: What is set for the room.
        dialogue: The rules of the conversation by that plan.
        anonymiser: Makes events about whoever is there.
    """

    plan: RoomPlan
    dialogue: Dialogue
    anonymiser: Anonymiser

    def __init__(self, settings: NodeSettings, files: RoomFiles, clock: RoomClock, sign: Sign | None) -> None:
        self._settings, self._files, self._clock, self._sign = settings, files, clock, sign
        self._quiet = False
        self.told: desired.Held = desired.load(files.folder / "desired.json")
        self.follow_plan()
        self.use_pseudonym()

    @property
    def is_deaf(self) -> bool:
        """Whether nobody may be listened to."""
        return desired.is_deaf(self.told)

    @property
    def may_record(self) -> bool:
        """Whether a recorded session may be on."""
        return desired.may_record(self.told)

    @property
    def speaker(self) -> Speaker:
        """What is known of who speaks."""
        return desired.speaker(self.told)

    def may_watch(self) -> bool:
        """Tell whether a camera may be open."""
        return desired.may_watch(self.told, of_site=self._settings.credentials is not None)

    async def save(self, told: TwinDesired) -> None:
        """Remember what the hub told."""
        try:
            await asyncio.to_thread(desired.save, self._files.folder / "desired.json", told)
        except OSError:
            # It holds until the next start, and the broker repeats it then.
            log.exception("twin.not-saved")

    def be_quiet(self, *, quiet: bool) -> None:
        """Say nothing unasked at any hour, or again as staff have set it."""
        self._quiet = quiet
        self.follow_plan()

    def follow_plan(self) -> None:
        """Talk by what is set for the room now."""
        self.plan = desired.plan(self.told, self._files.plan)
        if not self._settings.home_assistant:
            self.plan = self.plan.model_copy(update={"ambience": False})
        if self._quiet:
            self.plan = self.plan.model_copy(update={"quiet": QuietHours(begins=time.min, ends=time.max)})
        self.dialogue = Dialogue(
            self._files.forms,
            self._settings.form,
            self.plan,
            zone=self.plan.zone or datetime.now().astimezone().tzinfo or UTC,
            dictation=self._settings.takes_dictation,
            screen=self._settings.screen_port is not None,
        )

    def use_pseudonym(self) -> None:
        """Tell of whoever is there now."""
        subject = self.told.subject if self.told is not None else None
        subject = subject or room_files.pseudonym(self._files.folder)
        self.anonymiser = Anonymiser(
            subject,
            self._clock,
            known_names=self._files.names,
            sign=self._sign,
            surrogates=self._settings.redaction == "surrogate",
        )

    def forget(self) -> None:
        """Remove what is kept of the person of a stay that ended."""
        room_files.forget(self._files.folder)
