"""Claims and certificates: the same claims on SQLite and on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from mnemonic import Mnemonic
from sqlalchemy import select
from tests.fakes import keys
from tests.fakes.clock import FakeClock

from forge_hub.errors import EnrolmentError
from forge_hub.fleet.enrolment import BrokerPlace, Claim, Enrolment
from forge_hub.records.database import Database
from forge_hub.records.schema import Audit
from forge_shared.enrolment import RENEWAL_CONTEXT, EnrolmentRequest, Identity, RenewalRequest


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def enrolment(database: Database, tmp_path: Path, clock: FakeClock) -> Enrolment:
    authority = keys.authority(tmp_path, clock)
    return Enrolment(database, authority, clock, site="site", broker=BrokerPlace(None, 8883), certificate_days=90)


def request_of(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.sign(key, hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey) else None)
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def secret_of(claim: Claim) -> str:
    return bytes(Mnemonic("english").to_entropy(claim.words))[:10].hex()


def asked_with(claim: Claim, key: ec.EllipticCurvePrivateKey | None = None) -> EnrolmentRequest:
    request = request_of(key or ec.generate_private_key(ec.SECP256R1()))
    return EnrolmentRequest(secret=secret_of(claim), request=request)


def renewal_of(identity: Identity, key: ec.EllipticCurvePrivateKey) -> RenewalRequest:
    request = request_of(ec.generate_private_key(ec.SECP256R1()))
    signature = key.sign(RENEWAL_CONTEXT + request.encode(), ec.ECDSA(hashes.SHA256()))
    serial = x509.load_pem_x509_certificate(identity.certificate.encode()).serial_number
    return RenewalRequest(serial=str(serial), request=request, signature=signature.hex())


def trail(database: Database) -> list[str]:
    with database.read() as transaction:
        rows = transaction.execute(select(Audit.action, Audit.reason).order_by(Audit.id))
        return [action if reason is None else f"{action} refused: {reason}" for action, reason in rows]


def test_a_claim_gives_its_node_a_certificate_and_nothing_of_it_is_stored(
    enrolment: Enrolment, database: Database, clock: FakeClock
) -> None:
    claim = enrolment.claim("room-1", "ann")
    identity = enrolment.enrol(asked_with(claim))
    certificate = x509.load_pem_x509_certificate(identity.certificate.encode())
    assert (identity.site, identity.node, identity.host, identity.port) == ("site", "room-1", None, 8883)
    assert certificate.subject.rfc4514_string() == "CN=room-1"
    assert 89 <= (certificate.not_valid_after_utc - clock.now()).days <= 90
    assert [each.node for each in enrolment.nodes()] == ["room-1"]
    assert trail(database) == ["node.claim", "node.enrol"]


def test_of_many_who_come_with_one_claim_at_once_one_is_enrolled(enrolment: Enrolment, database: Database) -> None:
    claim = enrolment.claim("room-1", "ann")
    asked = [asked_with(claim) for _ in range(8)]

    def come(request: EnrolmentRequest) -> bool:
        try:
            enrolment.enrol(request)
        except EnrolmentError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(come, asked)) == 1
    assert trail(database).count("node.enrol refused: replayed") == 7


def test_a_claim_that_is_unknown_too_old_or_replaced_is_refused_with_a_reason_on_the_audit(
    enrolment: Enrolment, database: Database, clock: FakeClock
) -> None:
    replaced = enrolment.claim("room-1", "ann")
    claim = enrolment.claim("room-1", "ann")
    clock.advance(15 * 60)
    request = asked_with(claim).request
    for refused in (asked_with(replaced), asked_with(claim), EnrolmentRequest(secret="00" * 10, request=request)):
        with pytest.raises(EnrolmentError, match="unknown, used or too old"):
            enrolment.enrol(refused)
    assert trail(database)[2:] == [
        "node.enrol refused: unknown",
        "node.enrol refused: too-old",
        "node.enrol refused: unknown",
    ]
    assert enrolment.nodes() == []


def test_a_claim_does_not_last_longer_because_the_hubs_clock_is_set_back(
    enrolment: Enrolment, clock: FakeClock
) -> None:
    claim = enrolment.claim("room-1", "ann")
    clock.at -= timedelta(hours=2)
    with pytest.raises(EnrolmentError, match="unknown, used or too old"):
        enrolment.enrol(asked_with(claim))


def test_a_request_that_cannot_be_signed_does_not_use_up_the_claim(enrolment: Enrolment) -> None:
    claim = enrolment.claim("room-1", "ann")
    good = asked_with(claim)
    proven = request_of(ec.generate_private_key(ec.SECP256R1()))
    body = proven.splitlines()
    forged = "\n".join([*body[:2], body[2][::-1], *body[3:], ""])
    for bad in (
        forged,
        request_of(ec.generate_private_key(ec.SECP384R1())),
        request_of(ed25519.Ed25519PrivateKey.generate()),
    ):
        with pytest.raises(EnrolmentError, match="certificate request"):
            enrolment.enrol(good.model_copy(update={"request": bad}))
    assert enrolment.enrol(good).node == "room-1"


@pytest.mark.parametrize("name", ["hub", "", "Room", "a/b", "+", "x" * 64])
def test_no_claim_is_made_for_what_is_no_name_of_a_node(enrolment: Enrolment, name: str) -> None:
    with pytest.raises(EnrolmentError, match="node's name"):
        enrolment.claim(name, "ann")


def test_who_enrols_anew_voids_what_the_node_had(enrolment: Enrolment) -> None:
    first = enrolment.enrol(asked_with(enrolment.claim("room-1", "ann")))
    other = enrolment.enrol(asked_with(enrolment.claim("room-2", "ann")))
    enrolment.enrol(asked_with(enrolment.claim("room-1", "ann")))
    voided = {x509.load_pem_x509_certificate(each.certificate.encode()).serial_number for each in (first,)}
    assert enrolment.revocations().keys() == voided
    assert other.node == "room-2"


def test_a_node_renews_with_its_current_key_and_nobody_renews_with_another(
    enrolment: Enrolment, database: Database
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    identity = enrolment.enrol(asked_with(enrolment.claim("room-1", "ann"), key))
    renewed = enrolment.renew(renewal_of(identity, key))
    assert renewed.node == "room-1"
    assert renewed.certificate != identity.certificate
    with pytest.raises(EnrolmentError, match="not signed"):
        enrolment.renew(renewal_of(identity, ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(EnrolmentError, match="not signed"):
        enrolment.renew(renewal_of(identity, key).model_copy(update={"serial": "7"}))
    assert trail(database)[-3:] == ["node.renew", "node.enrol refused: unproven", "node.enrol refused: unproven"]


def test_what_is_revoked_or_over_is_not_renewed(enrolment: Enrolment, database: Database, clock: FakeClock) -> None:
    key, late = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    identity = enrolment.enrol(asked_with(enrolment.claim("room-1", "ann"), key))
    over = enrolment.enrol(asked_with(enrolment.claim("room-2", "ann"), late))
    open_claim = enrolment.claim("room-1", "ann")
    assert enrolment.revoke("room-1", "ann") == 2
    assert enrolment.revoke("room-1", "ann") == 0
    with pytest.raises(EnrolmentError, match="revoked or over"):
        enrolment.renew(renewal_of(identity, key))
    with pytest.raises(EnrolmentError, match="unknown"):
        enrolment.enrol(asked_with(open_claim))
    assert trail(database)[-2:] == ["node.enrol refused: revoked-or-over", "node.enrol refused: unknown"]
    assert len(enrolment.revocations()) == 1
    clock.advance(91 * 24 * 3600)
    with pytest.raises(EnrolmentError, match="revoked or over"):
        enrolment.renew(renewal_of(over, late))
    assert len(enrolment.revocations()) == 1, "whether it is over depends on a clock that may be set back"
