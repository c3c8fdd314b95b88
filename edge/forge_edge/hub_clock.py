"""What time it is at the hub, for whoever looks at this machine's clock while no node runs."""

import http.client
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from forge_edge import trust
from forge_edge.errors import NodeError
from forge_edge.settings import load_credentials
from forge_shared.clock import SystemClock

TIMEOUT_SECONDS = 3.0


def seconds_ahead(credentials_file: Path | None) -> float | None:
    """Return by how much this machine's clock is ahead of the hub's, to a second; None: the hub does not say.

    Every answer of the hub carries its time (RFC 9110, section 6.6.1). Takes at most a few seconds.
    """
    if credentials_file is None:
        return None
    try:
        credentials = load_credentials(credentials_file)
        place = urlsplit(credentials.hub)
        host = place.hostname or ""
        connection = (
            http.client.HTTPSConnection(
                host,
                place.port,
                timeout=TIMEOUT_SECONDS,
                context=trust.context_of(credentials.authority, SystemClock().now),
            )
            if place.scheme == "https"
            else http.client.HTTPConnection(host, place.port, timeout=TIMEOUT_SECONDS)
        )
        try:
            connection.request("HEAD", "/healthz")
            said = connection.getresponse().getheader("Date")
        finally:
            connection.close()
        at = parsedate_to_datetime(said) if said else None
    except (NodeError, OSError, ssl.SSLError, http.client.HTTPException, ValueError):
        return None
    return None if at is None else (datetime.now(UTC) - at).total_seconds()
