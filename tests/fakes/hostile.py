"""What somebody who means harm sends: messages that look like a room's and are broken in every way we could think of.

Everything follows from one seed, so that a failure can be repeated. Every payload carries `PLANTED`.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, arrived, phq_9, risk, utterance

from forge_hub.ingest.reading import LARGEST_PAYLOAD_BYTES, Arrived
from forge_shared.events import TYPES, CanarySent, Envelope, EventsWithheld, SenseChanged
from forge_shared.ids import new_id

PLANTED = "Planted Marker 9137"
"""What must be found neither in a log nor in a reason."""

_JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**63,
    2**64,
    10**30,
    1e308,
    1.5,
    "",
    PLANTED,
    f"{PLANTED}\x00",
    "\ud800",
    "\U0010ffff" * 40,
    "' OR 1=1 --",
    "../../etc/passwd",
    "${jndi:ldap://x}",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2026-01-01T00:00:00",
    [],
    {},
    [PLANTED],
    {PLANTED: PLANTED},
    {"__class__": PLANTED},
)

Way = Callable[[dict[str, Any]], bytes]


class Hostile:
    """One enrolled room that sends whatever it likes; its own numbers go on, so that its lanes do not just stop.

    Args:
        seed: Everything follows from it.
        clock: Dates its events.
        name: Its node.
    """

    def __init__(self, seed: int, clock: FakeClock, name: str) -> None:
        self.chance = random.Random(seed)
        self.node = FakeNode(clock, name)
        self._clock = clock
        self._session = new_id()
        self._sent: list[Arrived] = []
        self._owed: Arrived | None = None
        self._payloads: tuple[tuple[int, Way], ...] = (
            (10, self._flipped),
            (6, self._cut),
            (10, self._without_a_field),
            (20, self._retyped),
            (6, self._doubled),
            (3, self._nested),
            (4, self._numbers),
            (3, self._not_a_number),
            (5, self._not_utf_8),
            (4, self._half_a_surrogate),
            (3, self._zeros),
            (8, self._of_another_type),
            (1, self._oversize),
            (1, self._with_many_faults),
            (4, self._no_object),
        )
        self._topics: tuple[Callable[[Envelope], Arrived], ...] = (
            self._elsewhere,
            self._jumped,
            self._in_the_other_lane,
            self._no_topic,
            self._as_another_number,
        )

    def message(self) -> Arrived:
        """Return the next message."""
        if self._owed is not None:
            message, self._owed = self._owed, None
            return message
        way = self.chance.random()
        if way < 0.06 and self._sent:
            return self.chance.choice(self._sent)
        if way < 0.16:
            event = self._event()
            message = self.chance.choice(self._topics)(event)
            if self.chance.random() < 0.9:  # else there is a gap, until the room begins a new epoch
                self._owed = arrived(event)
        elif way < 0.2:
            message = arrived(self._event())  # nothing is wrong with it
        else:
            event = self._event()
            weights, ways = zip(*self._payloads, strict=True)
            way_of: Way = self.chance.choices(ways, weights)[0]
            message = Arrived(event.address.topic(), way_of(json.loads(event.to_json())))
        if len(self._sent) < 500:
            self._sent.append(message)
        return message

    def broken(self, said: dict[str, Any]) -> bytes:
        """Return some other message of the wire, broken in one of the same ways."""
        weights, ways = zip(*self._payloads, strict=True)
        way: Way = self.chance.choices(ways, weights)[0]
        return way({**said, "data": {}} if self.chance.random() < 0.1 else said)

    def _event(self) -> Envelope:
        if self.chance.random() < 0.02:
            self.node.flash()
        kind = self.chance.random()
        if kind < 0.02:
            return self.node.event(self.chance.choice((WATER, risk(), CanarySent(), _sense())))
        if kind < 0.2:
            return self.node.event(phq_9(self._clock, [self.chance.randrange(4) for _ in range(9)]))
        if kind < 0.25:
            return self.node.event(EventsWithheld(reason="disk-full", withheld_type="x"))
        return self.node.event(utterance(self._session, f"{PLANTED} {self.chance.random()}"))

    def _somewhere(self, raw: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """Return one of the objects inside, and one of its fields."""
        place = raw if self.chance.random() < 0.5 or not raw.get("data") else raw["data"]
        answers = place.get("answers")
        if answers and self.chance.random() < 0.3:
            place = self.chance.choice(answers)
        return place, self.chance.choice(list(place))

    def _flipped(self, raw: dict[str, Any]) -> bytes:
        sent = bytearray(_json(raw))
        for _ in range(self.chance.choice((1, 1, 2, 20))):
            sent[self.chance.randrange(len(sent))] = self.chance.randrange(256)
        return bytes(sent)

    def _cut(self, raw: dict[str, Any]) -> bytes:
        sent = _json(raw)
        return sent[: self.chance.randrange(len(sent))] + self.chance.choice((b"", b"}", b"\x00", sent))

    def _without_a_field(self, raw: dict[str, Any]) -> bytes:
        place, name = self._somewhere(raw)
        del place[name]
        return _json(raw)

    def _retyped(self, raw: dict[str, Any]) -> bytes:
        place, name = self._somewhere(raw)
        place[self.chance.choice((name, name, name, PLANTED))] = self.chance.choice(_JUNK)
        return _json(raw)

    def _doubled(self, raw: dict[str, Any]) -> bytes:
        field = self.chance.choice((*raw, "data"))
        value = self.chance.choice((json.dumps(PLANTED), "1", "{}", f'"{new_id()}"'))
        sent, twin = _json(raw), f'"{field}": {value}'.encode()
        return sent[:-1] + b", " + twin + b"}" if self.chance.random() < 0.5 else b"{" + twin + b", " + sent[1:]

    def _nested(self, raw: dict[str, Any]) -> bytes:
        depth = self.chance.choice((50, 500, 5_000, 20_000))
        opening, closing = self.chance.choice(((b"[", b"]"), (b'{"data": ', b"}")))
        inside = opening * depth + b"1" + closing * depth * self.chance.choice((0, 1))
        return _json(raw)[:-1] + b', "data": ' + inside[: LARGEST_PAYLOAD_BYTES - 2000] + b"}"

    def _numbers(self, raw: dict[str, Any]) -> bytes:
        digits = self.chance.choice((19, 30, 400, 5_000, 40_000))
        number = self.chance.choice((b"9" * digits, b"-" + b"9" * digits, b"0." + b"0" * digits + b"1", b"1e9999"))
        name = self.chance.choice(list(raw)).encode()
        return _json(raw)[:-1] + b', "' + name + b'": ' + number + b"}"

    def _not_a_number(self, raw: dict[str, Any]) -> bytes:
        place, name = self._somewhere(raw)
        place[name] = self.chance.choice((float("nan"), float("inf"), float("-inf")))
        return _json(raw)

    def _not_utf_8(self, raw: dict[str, Any]) -> bytes:
        sent = _json(raw)
        place = self.chance.randrange(len(sent))
        wrong = self.chance.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"))
        if self.chance.random() < 0.2:
            return sent.decode().encode("utf-16")
        return sent[:place] + wrong + sent[place:]

    def _half_a_surrogate(self, raw: dict[str, Any]) -> bytes:
        name = self.chance.choice((*raw, "\ud800"))
        return json.dumps({**raw, name: self.chance.choice(("\ud800", f"{PLANTED}\udc00", "\udfff"))}).encode()

    def _zeros(self, raw: dict[str, Any]) -> bytes:
        place, name = self._somewhere(raw)
        place[name] = f"{PLANTED}\x00"
        made = _json(raw)
        return made if self.chance.random() < 0.5 else made.replace(b"\\u0000", b"\x00")

    def _of_another_type(self, raw: dict[str, Any]) -> bytes:
        kinds = [*TYPES, "org.personaforge.request.made.v1", "org.personaforge.request.made.v99", PLANTED, ""]
        return json.dumps({**raw, "type": self.chance.choice(kinds)}).encode()

    def _oversize(self, raw: dict[str, Any]) -> bytes:
        size = LARGEST_PAYLOAD_BYTES + self.chance.choice((1, 100, 100_000))
        return _json(raw)[:-1].ljust(size, b" ") + b"}"

    def _with_many_faults(self, raw: dict[str, Any]) -> bytes:
        many = self.chance.choice((100, 1_000, 9_000))
        raw[self.chance.choice(("data", PLANTED))] = {f"k{number}": 1 for number in range(many // 2)}
        raw |= {f"x{number}": 1 for number in range(many // 3)}
        return json.dumps(raw, separators=(",", ":")).encode()

    def _no_object(self, _: dict[str, Any]) -> bytes:
        raws = (
            b"",
            b"null",
            b"[]",
            b'""',
            b"\x00",
            b"\xef\xbb\xbf{}",
            f'"{PLANTED}"'.encode(),
            self.chance.randbytes(80),
        )
        return self.chance.choice(raws)

    def _elsewhere(self, event: Envelope) -> Arrived:
        other = {"site": "elsewhere", "node": "room-8", "epoch": new_id()}
        name = self.chance.choice(list(other))
        return Arrived(event.address.model_copy(update={name: other[name]}).topic(), event.to_json())

    def _jumped(self, event: Envelope) -> Arrived:
        far = event.sequence + self.chance.choice((2, 50, 10**6, 10**17))
        jumped = event.model_copy(update={"sequence": far})
        payload = jumped.to_json() if self.chance.random() < 0.7 else PLANTED.encode()
        return Arrived(jumped.address.topic(), payload)

    def _in_the_other_lane(self, event: Envelope) -> Arrived:
        return arrived(event.model_copy(update={"lane": "record" if event.lane == "alarm" else "alarm"}))

    def _as_another_number(self, event: Envelope) -> Arrived:
        number = self.chance.randrange(1, event.sequence + 1)
        return Arrived(event.address.model_copy(update={"sequence": number}).topic(), event.to_json())

    def _no_topic(self, event: Envelope) -> Arrived:
        base = event.address.topic()
        wrong = (
            base + "0" * 18,
            base.replace("/event/", "/event//"),
            base.upper(),
            base + "\x00",
            base + "/" + "x" * 400,
            base.rsplit("/", 1)[0] + "/0",
            base.rsplit("/", 1)[0] + "/-1",
            base.rsplit("/", 1)[0] + "/\u0661",
            base.replace(event.epoch, "\ud800" * 36),
            f"forge/v1/site/{self.node.name}/event/{PLANTED}/alarm/1",
            "",
        )
        return Arrived(self.chance.choice(wrong), event.to_json())


def _sense() -> SenseChanged:
    return SenseChanged(sense="hearing", state="lost", reason="source-silent")


def _json(raw: dict[str, Any]) -> bytes:
    return json.dumps(raw).encode()
