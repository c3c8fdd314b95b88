"""Whoever has the broker cannot speak for the hub: what it has not signed, to this room and now, is not done."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.keys import NODE, SITE, authority, credentials

from forge_edge.app import troubles_for_hub
from forge_edge.counterpart import Counterpart
from forge_edge.hub_voice import REPORTED_SECONDS, HubVoice
from forge_hub.fleet.authority import SERVER_DAYS, Authority
from forge_shared import hub_word, signatures, topics
from forge_shared.certificates import PROTOCOL_OID, protocol_extension, protocol_of
from forge_shared.enrolment import Credentials
from forge_shared.errors import SignatureError
from forge_shared.wire import PROTOCOL, RoomTrouble

TOPIC = topics.twin_desired(SITE, NODE)
TWIN = {"revision": 3, "subject": "p-1", "consents": ["voice"]}
UNSIGNED = json.dumps(TWIN).encode()


class Place:
    """A site, a node of it, and what the node makes of what comes."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.keys = authority(folder, self.clock)
        self.own = credentials(self.keys)
        self.folder = folder
        self.told = True
        self.voice = self.started()

    def started(self) -> HubVoice:
        return HubVoice(lambda: self.own, self.folder / "hub-signs", self.clock, is_told=lambda: self.told)

    def said(
        self,
        content: dict[str, Any] = TWIN,
        topic: str = TOPIC,
        *,
        at: datetime | None = None,
        sign: Callable[[bytes], str] | None = None,
    ) -> bytes:
        return hub_word.payload(topic, content, at or self.clock.now(), sign or self.keys.hub_signature)

    def refuses(self, message: bytes, topic: str = TOPIC) -> bool:
        try:
            self.voice.read(topic, message)
        except SignatureError:
            return True
        return False


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def before_signatures(keys: Authority, own: Credentials) -> Credentials:
    """Return credentials as a hub made them that did not say in certificates what it speaks."""
    issued = x509.load_pem_x509_certificate(own.certificate.encode())
    signer = load_pem_private_key(keys.key_file.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder(
        issued.issuer,
        issued.subject,
        issued.public_key(),
        issued.serial_number,
        issued.not_valid_before_utc,
        issued.not_valid_after_utc,
        [each for each in issued.extensions if each.oid != PROTOCOL_OID],
    )
    made = builder.sign(signer, hashes.SHA256())
    return own.model_copy(update={"certificate": made.public_bytes(Encoding.PEM).decode()})


def test_what_the_hub_has_signed_to_this_room_is_read_as_it_was_said(place: Place) -> None:
    assert json.loads(place.voice.read(TOPIC, place.said())) == TWIN
    assert not place.voice.refuses


def test_a_reader_that_knows_no_signature_reads_the_same_message(place: Place) -> None:
    assert {**json.loads(place.said()), "signed": None} == {**TWIN, "signed": None}


def test_nothing_unsigned_is_taken_where_the_hub_signs_and_the_node_says_so_for_an_hour(place: Place) -> None:
    with capture_logs() as logged:
        assert place.refuses(UNSIGNED)
        assert place.refuses(UNSIGNED)
    assert [line["event"] for line in logged] == ["word.refused"], "trouble is said once"
    assert "p-1" not in str(logged)
    place.voice.read(TOPIC, place.said())
    place.clock.advance(REPORTED_SECONDS - 1)
    assert place.voice.refuses, "what the hub says afterwards does not hide it"
    place.clock.advance(2)
    assert not place.voice.refuses


@pytest.mark.parametrize(
    "change",
    [
        {"revision": 4},
        {"consents": ["voice", "camera"]},
        {"subject": None},
        {"plan": {"ambience": True}},
        {"something": "new"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whoever_changes_adds_or_takes_away_one_member_is_refused(place: Place, change: dict[str, Any]) -> None:
    said = json.loads(place.said())
    assert place.refuses(json.dumps({**said, **change}).encode())
    assert place.refuses(json.dumps({name: value for name, value in said.items() if name not in TWIN}).encode())


def test_a_member_that_is_there_twice_is_read_as_it_was_judged(place: Place) -> None:
    twice = place.said().replace(b'"subject":"p-1"', b'"subject":"p-2","subject":"p-1"')
    assert json.loads(place.voice.read(TOPIC, twice)) == TWIN


@pytest.mark.parametrize(
    "topic",
    [
        topics.twin_desired(SITE, "room-2"),
        topics.twin_desired("other", NODE),
        topics.command(SITE, NODE, "end-session"),
    ],
)
def test_what_was_said_to_another_room_site_or_purpose_is_refused(place: Place, topic: str) -> None:
    assert place.refuses(place.said(topic=topic))


def test_a_signature_of_a_room_or_of_another_site_or_for_a_form_is_refused(place: Place, tmp_path: Path) -> None:
    own = place.own
    key, certificate = own.key.get_secret_value().encode(), own.certificate.encode()
    assert place.refuses(place.said(sign=lambda content: signatures.sign(content, key, certificate)))
    other = tmp_path / "other"
    other.mkdir()
    assert place.refuses(place.said(sign=authority(other, place.clock).hub_signature))
    of_a_form = place.keys.hub_signature(signatures.payload("p-1", TWIN))
    assert place.refuses(place.said(sign=lambda _: of_a_form))


@pytest.mark.parametrize(
    "signed",
    [
        {},
        [],
        "",
        {"at": "2026-01-01T00:00:00+00:00"},
        {"at": "2026-01-01T00:00:00", "jws": "a..b"},
        {"at": 1, "jws": 2},
    ],
)
def test_a_signature_that_is_none_is_refused_and_is_not_the_same_as_no_signature(place: Place, signed: object) -> None:
    place.own = before_signatures(place.keys, place.own)
    assert place.refuses(json.dumps({**TWIN, "signed": signed}).encode())


@pytest.mark.parametrize("message", [b"", b"[]", b"1", b"\xff", b"[" * 100_000, b'{"a":' * 5_000])
def test_what_is_no_message_is_refused(place: Place, message: bytes) -> None:
    assert place.refuses(message)


def test_a_key_of_the_hub_whose_certificate_has_ended_signs_nothing_any_more(place: Place) -> None:
    at = place.clock.now()
    place.clock.advance((SERVER_DAYS + 1) * 86_400)
    assert place.refuses(place.said(at=at))


def test_a_room_whose_clock_is_behind_takes_what_the_hub_signs(place: Place) -> None:
    at = place.clock.now()
    place.clock.advance(-30 * 365 * 86_400)
    assert json.loads(place.voice.read(TOPIC, place.said(at=at))) == TWIN


def test_a_room_that_was_told_nothing_yet_takes_nothing_from_before_it_was_enrolled(place: Place) -> None:
    old = place.said(at=place.clock.now())
    place.clock.advance(3 * 86_400)
    place.own = credentials(place.keys)
    place.told = False
    assert place.refuses(old), "a device that took another's place could be given that one's consents"
    assert not place.refuses(place.said())
    place.told = True
    assert not place.refuses(old), "of a room that is told already only the revision counts"


def test_the_authority_has_written_into_a_nodes_certificate_what_the_hub_spoke(place: Place) -> None:
    certificate = x509.load_pem_x509_certificate(place.own.certificate.encode())
    assert protocol_of(certificate) == PROTOCOL
    before = before_signatures(place.keys, place.own)
    assert protocol_of(x509.load_pem_x509_certificate(before.certificate.encode())) == 1
    with pytest.raises(ValueError, match="one byte"):
        protocol_extension(200)


def test_a_node_that_was_updated_before_its_hub_works_until_the_hub_signs_and_never_goes_back(
    place: Place, tmp_path: Path
) -> None:
    place.own = before_signatures(place.keys, place.own)
    assert json.loads(place.voice.read(TOPIC, UNSIGNED)) == TWIN
    place.voice.read(TOPIC, place.said())
    assert place.refuses(UNSIGNED)
    place.voice = place.started()
    assert place.refuses(UNSIGNED), "it is remembered over a restart"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    keys = authority(elsewhere, place.clock)
    place.own = before_signatures(keys, credentials(keys))
    assert not place.refuses(UNSIGNED), "of another site, to which the device has moved, nothing is known"


def test_where_it_cannot_be_remembered_it_holds_until_the_next_start(place: Place) -> None:
    place.own = before_signatures(place.keys, place.own)
    place.folder.joinpath("hub-signs").mkdir()
    with capture_logs() as logged:
        place.voice.read(TOPIC, place.said())
    assert {line["event"] for line in logged} == {"hub.signing-not-saved"}
    assert place.refuses(UNSIGNED)


OF_PROTOCOL_2: tuple[RoomTrouble, ...] = ("disk.full", "disk.failed", "clock.wrong")
"""What a hub of protocol 2 knows; anything else in a twin makes it refuse the whole twin."""


@pytest.mark.parametrize("hub", [PROTOCOL, PROTOCOL - 1, None])
def test_a_hub_is_told_of_no_trouble_that_makes_it_refuse_all_that_the_room_says(place: Place, hub: int | None) -> None:
    counterpart = Counterpart(place.folder / "hub-protocol")
    if hub is not None:
        counterpart.heard(hub)
    of_machine = tuple(each for each in get_args(RoomTrouble) if each != "word.refused")
    told = troubles_for_hub(place.voice, counterpart, of_machine)
    assert told == (of_machine if hub == PROTOCOL else OF_PROTOCOL_2)
    assert place.refuses(UNSIGNED)
    assert troubles_for_hub(place.voice, counterpart, ()) == (("word.refused",) if hub == PROTOCOL else ())


def test_a_command_that_comes_again_is_not_done_again(place: Place) -> None:
    topic = topics.command(SITE, NODE, "alert-accepted")
    expires = (place.clock.now() + timedelta(seconds=30)).isoformat()
    first, second = ({"event": "e", "expires_at": expires, "n": n} for n in (1, 2))
    read = [place.voice.read(topic, place.said(content, topic)) for content in (first, first, second)]
    place.clock.advance(1)
    read.append(place.voice.read(topic, place.said(first, topic)))
    assert [place.voice.is_repeated(topic, each) for each in read] == [False, True, False, True]
