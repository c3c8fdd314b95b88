"""The site's certificate authority: who is who on the wire. One folder of small files, each readable by its owner only.

It signs three kinds of leaf: the hub's server certificate (broker and pages), the hub's own client certificate, and one
client certificate per node, whose common name is the node's name.
"""

import fcntl
import ipaddress
import ssl
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from forge_hub.errors import AuthorityError
from forge_shared import signatures, topics
from forge_shared.certificates import protocol_extension
from forge_shared.clock import Clock
from forge_shared.files import replace
from forge_shared.wire import PROTOCOL

AUTHORITY_DAYS = 3650
"""Ours: as long as the hardware; when it ends, every node is enrolled anew."""
SERVER_DAYS = 800
"""Below the 825 days after which Apple's systems refuse a server's certificate (support.apple.com/103769)."""
RENEWED_AT = 2 / 3
"""The share of its life after which a certificate is renewed; RFC 9773 section 4.1 advises two thirds."""
BACKDATED = timedelta(days=1)
"""A Pi without a clock of its own starts in the past, and what begins "now" would not be valid there yet. Ours."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A private key and its certificate, both PEM. The key is secret."""

    key: bytes
    certificate: bytes

    @property
    def parsed(self) -> x509.Certificate:
        """The certificate."""
        return x509.load_pem_x509_certificate(self.certificate)


class Authority:
    """The authority of one folder. Its methods block on small files; threads may share it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self.certificate_file = folder / "authority.pem"
        self.key_file = folder / "authority.key"
        self.server_certificate_file = folder / "server.pem"
        self.server_key_file = folder / "server.key"
        self.hub_certificate_file = folder / "hub.pem"
        self.hub_key_file = folder / "hub.key"
        self.revocations_file = folder / "revoked.pem"

    def prepare(self, site: str, names: Iterable[str]) -> list[str]:
        """Make whatever is not there yet or must be renewed; changes nothing else.

        Args:
            site: Name of the site.
            names: Host names and addresses under which the hub is reached; loopback is always among them.

        Returns:
            One sentence for each thing that was made, for a person to read; empty when all was there.

        Raises:
            AuthorityError: The folder cannot be written, or what is in it cannot be read.
        """
        made: list[str] = []
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._alone():
                if not self.certificate_file.exists():
                    self._make_authority(site)
                    made.append(f"made the certificate authority of site '{site}': {self.certificate_file}")
                if not self.revocations_file.exists():
                    self._write_revocations({})
                wanted = {"localhost", "127.0.0.1", "::1", *names}
                if self._server_is_due(wanted):
                    self._keep(self._make_server(wanted), self.server_certificate_file, self.server_key_file)
                    made.append(
                        f"made the hub's server certificate for {', '.join(sorted(wanted))}; the next start shows it"
                    )
                if self._is_due(self.hub_certificate_file, self.hub_key_file):
                    self._keep(
                        self.issue(topics.HUB, timedelta(days=SERVER_DAYS)),
                        self.hub_certificate_file,
                        self.hub_key_file,
                    )
                    made.append("made the hub's own certificate for the broker")
        except (OSError, ValueError) as error:
            raise AuthorityError(f"the keys in {self.folder} cannot be used ({type(error).__name__})") from None
        return made

    def sign(self, key: ec.EllipticCurvePublicKey, name: str, valid_for: timedelta) -> x509.Certificate:
        """Sign a client certificate.

        Args:
            key: Whose owner has proved to hold the private part.
            name: The common name, which the broker takes as user name.
            valid_for: Its life from now.

        Raises:
            AuthorityError: ``name`` is none that topics can carry, or the authority's key cannot be used.
        """
        if not topics.is_name(name):
            raise AuthorityError("a node's name is lower-case letters, digits and hyphens, at most 63")
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        spoken = protocol_extension(PROTOCOL)
        return self._sign_leaf(key, name, valid_for, ExtendedKeyUsageOID.CLIENT_AUTH, names, spoken)

    def issue(self, name: str, valid_for: timedelta) -> Issued:
        """Make a key and sign its client certificate: for the hub itself, and for nodes that are set up offline."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Issued(_pem(key), _certificate_pem(self.sign(key.public_key(), name, valid_for)))

    def authority_pem(self) -> bytes:
        """Return the authority's own certificate: what nodes trust. It is public."""
        return self.certificate_file.read_bytes()

    def ends(self) -> Mapping[str, datetime]:
        """Return when the certificates end that this hub lives on: ``authority``, ``server`` and ``hub``.

        Raises:
            AuthorityError: One of them cannot be read.
        """
        files = {
            "authority": self.certificate_file,
            "server": self.server_certificate_file,
            "hub": self.hub_certificate_file,
        }
        try:
            return {
                name: x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
                for name, path in files.items()
            }
        except (OSError, ValueError) as error:
            raise AuthorityError(f"the hub's certificates cannot be read ({type(error).__name__})") from None

    def server_fingerprint(self) -> bytes:
        """Return the SHA-256 of the hub's server certificate, 32 bytes."""
        return x509.load_pem_x509_certificate(self.server_certificate_file.read_bytes()).fingerprint(hashes.SHA256())

    def revoked(self) -> frozenset[int]:
        """Return the serial numbers on the revocation list that brokers read."""
        listed = x509.load_pem_x509_crl(self.revocations_file.read_bytes())
        return frozenset(entry.serial_number for entry in listed)

    def revoke(self, serials: Mapping[int, datetime]) -> None:
        """Replace the revocation list.

        Args:
            serials: Every revoked serial number, with the time since when.

        Raises:
            AuthorityError: It cannot be written.
        """
        try:
            with self._alone():
                self._write_revocations(serials)
        except (OSError, ValueError) as error:
            raise AuthorityError(f"the revocation list cannot be written ({type(error).__name__})") from None

    def hub_context(self) -> ssl.SSLContext:
        """Return the TLS settings with which the hub connects to its broker."""
        context = ssl.create_default_context(cafile=str(self.certificate_file))
        context.load_cert_chain(self.hub_certificate_file, self.hub_key_file)
        return context

    def hub_signature(self, content: bytes) -> str:
        """Return a detached JWS over ``content`` by the hub's own key, which the authority has certified.

        Raises:
            AuthorityError: The key cannot be read.
        """
        try:
            key, certificate = self.hub_key_file.read_bytes(), self.hub_certificate_file.read_bytes()
        except OSError as error:
            raise AuthorityError(f"the hub's own key cannot be read ({type(error).__name__})") from None
        return signatures.sign(content, key, certificate)

    def context_as(self, name: str) -> ssl.SSLContext:
        """Return TLS settings with a certificate of five minutes in a node's name: to end that node's connection."""
        issued = self.issue(name, timedelta(minutes=5))
        context = ssl.create_default_context(cafile=str(self.certificate_file))
        # OpenSSL reads a chain from a file only; this one is readable by its owner and gone at once.
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(issued.certificate + issued.key)
            file.flush()
            context.load_cert_chain(file.name)
        return context

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder: `init` may run beside a hub that starts."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_authority(self, site: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"Persona-Forge site {site}"[:64])
        builder = self._builder(name, name, key.public_key(), timedelta(days=AUTHORITY_DAYS))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).add_extension(
            _usage(certificates=True), critical=True
        )
        builder = builder.add_extension(_key_identifier(key.public_key()), critical=False)
        # The key first: an authority counts as made once its certificate is there.
        replace(self.key_file, _pem(key), mode=0o600)
        replace(self.certificate_file, _certificate_pem(builder.sign(key, hashes.SHA256())), mode=0o600)

    def _make_server(self, names: Iterable[str]) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign_leaf(
            key.public_key(),
            "Persona-Forge hub",
            timedelta(days=SERVER_DAYS),
            ExtendedKeyUsageOID.SERVER_AUTH,
            [_general_name(name) for name in sorted(names)],
        )
        return Issued(_pem(key), _certificate_pem(certificate))

    def _sign_leaf(
        self,
        key: ec.EllipticCurvePublicKey,
        name: str,
        valid_for: timedelta,
        usage: x509.ObjectIdentifier,
        names: list[x509.GeneralName],
        *further: x509.ExtensionType,
    ) -> x509.Certificate:
        authority_key = self._key()
        issuer = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        builder = self._builder(_name(name), issuer.subject, key, valid_for)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(_key_identifier(key), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        for each in further:
            builder = builder.add_extension(each, critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    def _key(self) -> ec.EllipticCurvePrivateKey:
        try:
            key = serialization.load_pem_private_key(self.key_file.read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise AuthorityError(f"the authority's key cannot be read ({type(error).__name__})") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise AuthorityError("the authority's key is of another kind")
        return key

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, valid_for: timedelta
    ) -> x509.CertificateBuilder:
        now = self._clock.now()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + valid_for)
        )

    def _write_revocations(self, serials: Mapping[int, datetime]) -> None:
        issuer = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.subject)
            .last_update(self._list_time())
            # A list that has run out locks out everyone; ours is replaced at every change and holds until then.
            .next_update(issuer.not_valid_after_utc)
        )
        for serial, since in serials.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since).build()
            builder = builder.add_revoked_certificate(entry)
        signed = builder.sign(self._key(), hashes.SHA256())
        replace(self.revocations_file, signed.public_bytes(serialization.Encoding.PEM), mode=0o600)

    def _list_time(self) -> datetime:
        """Return the new list's time: always later than the old one's, by which OpenSSL chooses when it knows both.

        Its resolution is a second, so it begins a day back: lists may follow each other faster than that.
        """
        begin = (self._clock.now() - BACKDATED).replace(microsecond=0)
        if not self.revocations_file.exists():
            return begin
        last = x509.load_pem_x509_crl(self.revocations_file.read_bytes()).last_update_utc
        return max(begin, last + timedelta(seconds=1))

    def _server_is_due(self, names: set[str]) -> bool:
        if self._is_due(self.server_certificate_file, self.server_key_file):
            return True
        certificate = x509.load_pem_x509_certificate(self.server_certificate_file.read_bytes())
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return set(listed) != {_general_name(name) for name in names}

    def _is_due(self, certificate_file: Path, key_file: Path) -> bool:
        """Tell whether a pair is not there, is old, or does not fit: the power may fail between its two files."""
        if not certificate_file.exists() or not key_file.exists():
            return True
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        return certificate.public_key() != key.public_key() or renewal_is_due(certificate, self._clock.now())

    def _keep(self, issued: Issued, certificate_file: Path, key_file: Path) -> None:
        replace(key_file, issued.key, mode=0o600)
        replace(certificate_file, issued.certificate, mode=0o600)


def renewal_is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether a certificate has lived two thirds of its life."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begin + RENEWED_AT * (end - begin)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_identifier(key: ec.EllipticCurvePublicKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key)


def _usage(*, certificates: bool) -> x509.KeyUsage:
    """Return what a key is for: an authority signs certificates and lists, a leaf signs handshakes."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
