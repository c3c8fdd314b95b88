"""How the hub is reached: by HTTPS or not, under which names, and what its nodes are told of the broker."""

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from forge_hub.errors import HubConfigError
from forge_hub.fleet.authority import Authority
from forge_hub.fleet.enrolment import BrokerPlace, Enrolment
from forge_hub.ingest.consumer import BrokerLogin
from forge_hub.records.database import Database
from forge_hub.settings import HubSettings
from forge_shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Doors:
    """What was decided of the hub's addresses.

    Attributes:
        own: Whether the pages speak HTTPS with the hub's own certificate.
        https: Whether browsers reach them by HTTPS, by the hub's own certificate or by a proxy's.
        names: Host names and addresses for the hub's certificate.
        address: URL under which browsers and nodes reach the hub.
        host: The host in it.
    """

    own: bool
    https: bool
    names: tuple[str, ...]
    address: str
    host: str

    @property
    def enrolment_url(self) -> str | None:
        """Where a node brings a claim, or None where there is no HTTPS of the hub's own to bring it to."""
        return self.address if self.own else None


def doors_of(settings: HubSettings) -> Doors:
    """Decide how the hub is reached.

    Raises:
        HubConfigError: It would listen beyond loopback without TLS.
    """
    loopback = is_loopback(settings.host)
    public = settings.public_url
    tls = settings.tls
    if tls == "auto":
        tls = "own" if not loopback else "proxy" if (public or "").startswith("https://") else "off"
    if tls in {"off", "proxy"} and not loopback:
        raise HubConfigError(
            "the pages would leave loopback without encryption: set FORGE_HUB_TLS=own, or listen on 127.0.0.1 "
            "behind a proxy on this machine"
        )
    if tls == "proxy" and not (public or "").startswith("https://"):
        raise HubConfigError("FORGE_HUB_TLS=proxy needs the proxy's address as FORGE_HUB_PUBLIC_URL=https://...")
    own_name = socket.gethostname() if _is_unspecified(settings.host) else settings.host
    scheme = "https" if tls == "own" else "http"
    address = (public or f"{scheme}://{_in_url(own_name)}:{settings.port}").rstrip("/")
    host = urlsplit(address).hostname or own_name
    names = {own_name, host, socket.gethostname(), *settings.tls_names}
    if settings.broker != "external" and not _is_unspecified(settings.broker_host):
        names.add(settings.broker_host)
    return Doors(
        own=tls == "own", https=tls in {"own", "proxy"}, names=tuple(sorted(names)), address=address, host=host
    )


def authority_of(settings: HubSettings, clock: Clock) -> Authority:
    """Return the site's certificate authority; the caller prepares it."""
    return Authority(settings.folder / "authority", clock)


def enrolment_of(settings: HubSettings, database: Database, authority: Authority, clock: Clock) -> Enrolment:
    """Return what gives nodes their identities.

    Raises:
        HubConfigError: The file of an external broker's authority cannot be read.
    """
    try:
        other = settings.broker_ca.read_text(encoding="ascii") if settings.broker_ca else None
    except (OSError, UnicodeDecodeError):
        raise HubConfigError("cannot read the file that FORGE_HUB_BROKER_CA names") from None
    host = None if _is_unspecified(settings.broker_host) else settings.broker_host
    return Enrolment(
        database,
        authority,
        clock,
        site=settings.site,
        broker=BrokerPlace(host, settings.broker_port, other),
        certificate_days=settings.node_certificate_days,
    )


def external_login(settings: HubSettings) -> BrokerLogin:
    """Return who the hub is at a broker that it has not started.

    Raises:
        HubConfigError: The settings are incomplete, a file cannot be used, or a password would cross in clear.
    """
    if settings.broker_password is None and settings.broker_certificate is None:
        raise HubConfigError(
            "an external broker needs FORGE_HUB_BROKER_PASSWORD, or FORGE_HUB_BROKER_CERTIFICATE and _KEY"
        )
    if settings.broker_ca is None and (settings.broker_certificate or not is_loopback(settings.broker_host)):
        raise HubConfigError("an external broker beyond loopback needs TLS: set FORGE_HUB_BROKER_CA")
    context = None
    if settings.broker_ca is not None:
        try:
            context = ssl.create_default_context(cafile=str(settings.broker_ca))
            if settings.broker_certificate is not None:
                context.load_cert_chain(settings.broker_certificate, settings.broker_key)
        except (OSError, ssl.SSLError) as error:
            raise HubConfigError(f"the files for the external broker cannot be used ({type(error).__name__})") from None
    named = settings.broker_password is not None
    return BrokerLogin(
        settings.broker_host,
        settings.broker_port,
        settings.broker_username if named else None,
        settings.broker_password,
        context,
    )


def hosts(settings: HubSettings) -> frozenset[str]:
    """Return the names under which browsers reach the pages, besides those of this machine itself."""
    names = {urlsplit(settings.public_url or "").hostname, settings.host, *settings.host_names}
    return frozenset(name.lower() for name in names if name)


def is_loopback(host: str) -> bool:
    """Tell whether what listens on ``host`` can be reached from this machine only."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_unspecified(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
