"""What the staff have set for a room: its times, its reminders, its quiet hours, and how it knows who speaks.

The hub sends it with the twin; a room that works alone reads it from a file. Nothing here is an order to a person.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import date, time
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from forge_shared.events import Code, DangerKind, Pseudonym, ReminderKind, SpokenText
from forge_shared.model import Frozen

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""In the order of `datetime.date.weekday`."""

_SCRYPT = {"n": 2**14, "r": 8, "p": 1}
"""16 MiB and some 50 ms: RFC 7914, section 2, for interactive use. A word or PIN of few possibilities is not kept from
somebody who holds the room's disk by any hash; it is kept from whoever reads a message or a file in passing."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:  # not found is a KeyError, the name of a folder an OSError
        raise ValueError("no time zone of that name") from error
    return name


class Secret(Frozen):
    """The salted hash of a word or a PIN. ``salt`` and ``digest`` are hexadecimal; scrypt (RFC 7914)."""

    salt: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @classmethod
    def of(cls, words: str) -> Self:
        """Return the hash of words; letter case and spaces around them do not count."""
        salt = secrets.token_bytes(16)
        return cls(salt=salt.hex(), digest=_digest(words, salt).hex())

    def matches(self, words: str) -> bool:
        """Tell whether these are the words. Takes some 50 ms."""
        return hmac.compare_digest(_digest(words, bytes.fromhex(self.salt)).hex(), self.digest)


class Reminder(Frozen):
    """Something that the staff have planned, said at times of the day.

    Attributes:
        id: Stays the same as long as it is the same reminder.
        text: What else is said; empty for the room's own words.
        times: Local times of day.
        days: On which days.
        begins: First day, inclusive; None: any.
        ends: Last day, inclusive; None: any.
        confirm: Whether it is to be confirmed; one that is not confirmed is an alert.
    """

    id: Code
    kind: ReminderKind
    text: Annotated[SpokenText, Field(max_length=200)] | None = None
    times: Annotated[tuple[time, ...], Field(min_length=1, max_length=24)]
    days: Annotated[tuple[Day, ...], Field(min_length=1)] = DAYS
    begins: date | None = None
    ends: date | None = None
    confirm: bool = True

    @model_validator(mode="after")
    def _no_order(self) -> Self:
        if self.kind == "medication" and self.text is not None:
            raise ValueError("what is said about medication is not written here: a prompt is no prescription")
        return self


class QuietHours(Frozen):
    """When nothing unasked is spoken, by local time; over midnight where ``begins`` is later than ``ends``."""

    begins: time
    ends: time

    def hold(self, at: time) -> bool:
        """Tell whether it is quiet at a local time."""
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


class Watch(Frozen):
    """What the camera watches for. What is not among ``kinds`` is judged and told to nobody.

    Attributes:
        kinds: Agreed with this patient. A fall is watched for wherever a camera is; getting up alone at night only for
            whom it is dangerous.
        night: When people sleep: getting up and strangers are watched for then, and lying still is no alarm in bed.
        absent_minutes: How long the patient may be out of the room.
        immobile_minutes: How long the patient, awake by the plan, may not move at all, not even breathe visibly.
        visitor_minutes: How long somebody else may stay at night; a round of the night nurse is shorter.
    """

    kinds: tuple[DangerKind, ...] = ("fall", "immobile", "absent_long")
    night: QuietHours = QuietHours(begins=time(22), ends=time(6))
    absent_minutes: Annotated[float, Field(gt=0, le=1440)] = 30.0
    immobile_minutes: Annotated[float, Field(gt=0, le=1440)] = 20.0
    visitor_minutes: Annotated[float, Field(gt=0, le=1440)] = 3.0


WordsPerMinute = Annotated[int, Field(ge=80, le=300)]
"""What every engine of the room speaks clearly. Ours."""
WakeThreshold = Annotated[float, Field(ge=0.05, le=0.95)]
"""Below, any noise wakes the room; above, hardly anybody does. Ours."""


class RoomPlan(Frozen):
    """What is set for one room. A later version may add to it; what a reader does not know is ignored.

    Attributes:
        subject: Whose reminders and word these are; for another stay they are left out. None: whoever is there.
        time_zone: IANA name; None: the machine's.
        reminders: What the room reminds of.
        quiet: When nothing unasked is spoken.
        menu: What there is to eat, by day.
        agreed_word: By which the person of this stay is known, one of `forge_edge.speech.agreed_words`.
        staff_pin: By which staff vouch for who speaks, on the screen.
        watch: What the camera watches for; None: the defaults of `Watch`.
        ambience: Whether light, temperature, music and blinds are controlled by Home Assistant.
        words_per_minute: How fast the room speaks; None: as its own settings have it.
        wake_threshold: Score of a built-in wake word from which the room wakes: higher, rarer; None: the same.
    """

    model_config = ConfigDict(extra="ignore")

    subject: Pseudonym | None = None
    time_zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    reminders: Annotated[tuple[Reminder, ...], Field(max_length=50)] = ()
    quiet: QuietHours | None = None
    menu: Mapping[Day, Annotated[SpokenText, Field(max_length=300)]] = {}
    agreed_word: Secret | None = None
    staff_pin: Secret | None = None
    watch: Watch | None = None
    ambience: bool = False
    words_per_minute: WordsPerMinute | None = None
    wake_threshold: WakeThreshold | None = None

    def of_stay(self, subject: str | None) -> "RoomPlan":
        """Return the plan for who is there now: what is another person's is left out."""
        if self.subject in (None, subject):
            return self
        return self.model_copy(update={"reminders": (), "agreed_word": None, "watch": None})

    @property
    def zone(self) -> ZoneInfo | None:
        """The room's time zone; None: the machine's."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        if len({reminder.id for reminder in self.reminders}) < len(self.reminders):
            raise ValueError("two reminders have the same id")
        return self


def _digest(words: str, salt: bytes) -> bytes:
    return hashlib.scrypt(words.strip().lower().encode(), salt=salt, dklen=32, **_SCRYPT)
