"""How a node gets its identity at the hub, keeps it and loses it: claims, certificates, revocation.

A claim is stored as a hash, holds for 15 minutes and is used once. A node that enrols anew voids what it had before:
two devices in one room's name are never right.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mnemonic import Mnemonic
from pydantic import SecretStr
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as Transaction

from forge_hub.access import COMMAND_LINE, audit
from forge_hub.errors import AuthorityError, EnrolmentError
from forge_hub.fleet.authority import Authority
from forge_hub.records.database import Database
from forge_hub.records.schema import EnrolmentClaim, NodeCertificate
from forge_shared import topics
from forge_shared.clock import Clock
from forge_shared.enrolment import (
    FINGERPRINT_BYTES,
    RENEWAL_CONTEXT,
    SECRET_BYTES,
    Credentials,
    EnrolmentRequest,
    Identity,
    RenewalRequest,
)

CLAIM_VALID_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class BrokerPlace:
    """Where nodes reach the broker, as they are told.

    Attributes:
        host: Name or address; None where it is the machine of the hub itself.
        port: TCP port.
        authority: PEM of who signed the broker's certificate, where it is not the site's own authority.
    """

    host: str | None
    port: int
    authority: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it is handed to whoever sets the node up. ``words`` are secret and stored nowhere."""

    node: str
    words: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """One node's standing: until when its newest certificate holds, and whether it is revoked."""

    node: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class Enrolment:
    """Claims and certificates of one site. Its methods block on the store and on keys: call them from a thread."""

    def __init__(  # noqa: PLR0913 (wiring, by keyword)
        self,
        database: Database,
        authority: Authority,
        clock: Clock,
        *,
        site: str,
        broker: BrokerPlace,
        certificate_days: int,
    ) -> None:
        self._database = database
        self._authority = authority
        self._clock = clock
        self._site = site
        self._broker = broker
        self._valid_for = timedelta(days=certificate_days)

    def claim(self, node: str, by: str) -> Claim:
        """Make a claim for a node; an unused one that it had is void.

        Args:
            node: Name of the node.
            by: Id of the account that asks, or ``command-line``.

        Raises:
            EnrolmentError: ``node`` is no name of a node.
            AuthorityError: The hub's keys cannot be read.
        """
        check_node(node)
        secret = secrets.token_bytes(SECRET_BYTES)
        fingerprint = self._authority.server_fingerprint()[:FINGERPRINT_BYTES]
        now = self._clock.now()
        with self._database.begin() as transaction:
            transaction.execute(
                delete(EnrolmentClaim).where(EnrolmentClaim.node == node, EnrolmentClaim.used_at.is_(None))
            )
            transaction.add(
                EnrolmentClaim(secret_hash=_digest(secret), node=node, expires_at=now + CLAIM_VALID_FOR, used_at=None)
            )
            audit.write(transaction, now, by, "node.claim", node)
        words: str = Mnemonic("english").to_mnemonic(secret + fingerprint)
        return Claim(node, words, now + CLAIM_VALID_FOR)

    def enrol(self, asked: EnrolmentRequest) -> Identity:
        """Use up a claim and sign the node's certificate. Earlier certificates of the node are revoked.

        Raises:
            EnrolmentError: The claim is unknown, used or too old (the audit says which), or the request is bad.
        """
        now = self._clock.now()
        digest = _digest(bytes.fromhex(asked.secret))
        key = _requested_key(asked.request)
        with self._database.begin() as transaction:
            # Of several who come with one claim at once the store lets one through: the others find it used.
            node = transaction.scalar(
                update(EnrolmentClaim)
                .where(
                    EnrolmentClaim.secret_hash == digest,
                    EnrolmentClaim.used_at.is_(None),
                    EnrolmentClaim.expires_at > now,
                    # A clock that was set back must not make a claim last longer.
                    EnrolmentClaim.expires_at <= now + CLAIM_VALID_FOR,
                )
                .values(used_at=now)
                .returning(EnrolmentClaim.node)
            )
            if node is not None:
                self._revoke(transaction, node, now)
                certificate = self._authority.sign(key, node, self._valid_for)
                self._file(transaction, node, certificate, now, "node.enrol", node)
                return self._identity(node, _pem(certificate))
        self._refuse(self._why_void(digest), digest[:16])
        raise EnrolmentError("the claim is unknown, used or too old: issue a new one")

    def renew(self, asked: RenewalRequest) -> Identity:
        """Sign a certificate for a node's new key, on the word of its current one.

        Raises:
            EnrolmentError: The current certificate is unknown, revoked or over, or its key has not signed.
        """
        now = self._clock.now()
        key = _requested_key(asked.request)
        with self._database.read() as transaction:
            current = transaction.get(NodeCertificate, asked.serial)
        signed = RENEWAL_CONTEXT + asked.request.encode()
        if current is None or not _is_signed(signed, asked.signature, current.certificate):
            self._refuse("unproven", "renewal")
            raise EnrolmentError("the request is not signed by a certificate of this site")
        with self._database.begin() as transaction:
            # Read again under the lock: it may have been revoked meanwhile.
            row = transaction.get(NodeCertificate, asked.serial, with_for_update=True)
            if row is not None and row.revoked_at is None and row.expires_at > now:
                certificate = self._authority.sign(key, row.node, self._valid_for)
                self._file(transaction, row.node, certificate, now, "node.renew", row.node)
                return self._identity(row.node, _pem(certificate))
        self._refuse("revoked-or-over", current.node)
        raise EnrolmentError("the certificate is revoked or over: enrol the node again with a claim")

    def signer(self, serial: str, content: bytes, signature: str) -> str:
        """Return the node that has signed something with the key of its certificate.

        Args:
            serial: Of the certificate, decimal.
            content: What is signed.
            signature: ECDSA with SHA-256, hexadecimal.

        Raises:
            EnrolmentError: The certificate is unknown, revoked or over, or its key has not signed.
        """
        with self._database.read() as transaction:
            row = transaction.get(NodeCertificate, serial)
        if row is None or not _is_signed(content, signature, row.certificate):
            self._refuse("unproven", "releases")
            raise EnrolmentError("the request is not signed by a certificate of this site")
        if not self.holds(serial):
            self._refuse("revoked-or-over", row.node)
            raise EnrolmentError("the certificate is revoked or over: enrol the node again with a claim")
        return row.node

    def holds(self, serial: str) -> bool:
        """Tell whether a certificate of this site is neither revoked nor over."""
        with self._database.read() as transaction:
            row = transaction.get(NodeCertificate, serial)
            return row is not None and row.revoked_at is None and row.expires_at > self._clock.now()

    def issue(self, node: str, hub_address: str, hub_host: str) -> Credentials:
        """Make a node's key and certificate here, for who sets nodes up at the hub's own command line.

        Args:
            node: Name of the node; its earlier certificates are revoked.
            hub_address: URL under which the node reaches the hub.
            hub_host: The host of the broker where it is the hub's own machine.

        Raises:
            EnrolmentError: ``node`` is no name of a node.
        """
        check_node(node)
        issued = self._authority.issue(node, self._valid_for)
        now = self._clock.now()
        with self._database.begin() as transaction:
            self._revoke(transaction, node, now)
            self._file(transaction, node, issued.parsed, now, "node.issue", COMMAND_LINE)
        identity = self._identity(node, issued.certificate.decode())
        return Credentials(
            site=identity.site,
            node=node,
            host=identity.host or hub_host,
            port=identity.port,
            hub=hub_address,
            authority=identity.authority,
            certificate=identity.certificate,
            key=SecretStr(issued.key.decode()),
        )

    def revoke(self, node: str, by: str) -> int:
        """Revoke whatever identifies a node: its certificates, and a claim that is open. Return how many there were.

        The brokers do not know yet: `Revocation.apply` tells them.
        """
        now = self._clock.now()
        with self._database.begin() as transaction:
            claims = transaction.scalars(
                delete(EnrolmentClaim)
                .where(EnrolmentClaim.node == node, EnrolmentClaim.used_at.is_(None))
                .returning(EnrolmentClaim.secret_hash)
            ).all()
            revoked = self._revoke(transaction, node, now) + len(claims)
            audit.write(transaction, now, by, "node.revoke", node)
        return revoked

    def revocations(self) -> dict[int, tuple[str, datetime]]:
        """Return every revoked certificate: serial number to node, and since when.

        One that has ended stays on the list: whether it has depends on a clock, which may be set back.
        """
        query = select(NodeCertificate).where(NodeCertificate.revoked_at.is_not(None))
        with self._database.read() as transaction:
            return {
                int(row.serial): (row.node, row.revoked_at)
                for row in transaction.scalars(query)
                if row.revoked_at is not None
            }

    def nodes(self) -> list[NodeIdentity]:
        """Return every node that ever had a certificate, by name, with its newest one."""
        query = select(NodeCertificate).order_by(NodeCertificate.node, NodeCertificate.issued_at)
        with self._database.read() as transaction:
            newest = {
                row.node: NodeIdentity(row.node, row.issued_at, row.expires_at, row.revoked_at)
                for row in transaction.scalars(query)
            }
        return list(newest.values())

    def note_refusal(self, reason: str) -> None:
        """Leave a trace of an attempt that never came to a claim, such as one too many."""
        self._refuse(reason, "enrolment")

    def _revoke(self, transaction: Transaction, node: str, now: datetime) -> int:
        revoked = transaction.scalars(
            update(NodeCertificate)
            .where(NodeCertificate.node == node, NodeCertificate.revoked_at.is_(None), NodeCertificate.expires_at > now)
            .values(revoked_at=now)
            .returning(NodeCertificate.serial)
        )
        return len(revoked.all())

    def _file(  # noqa: PLR0913 (a row's fields)
        self,
        transaction: Transaction,
        node: str,
        certificate: x509.Certificate,
        now: datetime,
        action: str,
        by: str,
    ) -> None:
        transaction.add(
            NodeCertificate(
                serial=str(certificate.serial_number),
                node=node,
                certificate=_pem(certificate),
                issued_at=now,
                expires_at=certificate.not_valid_after_utc,
                revoked_at=None,
            )
        )
        audit.write(transaction, now, by, action, node)

    def _identity(self, node: str, certificate: str) -> Identity:
        return Identity(
            site=self._site,
            node=node,
            host=self._broker.host,
            port=self._broker.port,
            authority=self._authority.authority_pem().decode() + (self._broker.authority or ""),
            certificate=certificate,
        )

    def _why_void(self, digest: str) -> str:
        with self._database.read() as transaction:
            claim = transaction.get(EnrolmentClaim, digest)
        if claim is None:
            return "unknown"
        return "replayed" if claim.used_at is not None else "too-old"

    def _refuse(self, reason: str, what: str) -> None:
        audit.note(
            self._database, self._clock.now(), audit.UNKNOWN, "node.enrol", what, outcome="refused", reason=reason
        )


def check_node(node: str) -> None:
    """Check the name of a node.

    Raises:
        EnrolmentError: It is none.
    """
    if node in topics.RESERVED or not topics.is_name(node):
        names = " or ".join(f"'{name}'" for name in sorted(topics.RESERVED))
        raise EnrolmentError(f"a node's name is lower-case letters, digits and hyphens, at most 63, and not {names}")


def _requested_key(request: str) -> ec.EllipticCurvePublicKey:
    """Return the key of a certificate request. Whatever else it asks for is not looked at: the hub decides."""
    try:
        parsed = x509.load_pem_x509_csr(request.encode())
        proven = parsed.is_signature_valid
        key = parsed.public_key()
    except (ValueError, InvalidSignature):
        raise EnrolmentError("the certificate request cannot be read") from None
    if not proven or not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise EnrolmentError("the certificate request is not signed by a key on P-256")
    return key


def _is_signed(content: bytes, signature: str, certificate: str) -> bool:
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise AuthorityError("a certificate on file has a key of another kind")
    try:
        key.verify(bytes.fromhex(signature), content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _digest(secret: bytes) -> str:
    return hashlib.sha256(secret).hexdigest()


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
