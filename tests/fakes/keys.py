"""A site's keys in a folder, and what a node of it holds: as the hub's own command line would make them."""

from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from forge_hub.fleet.authority import Authority
from forge_shared.clock import Clock, SystemClock
from forge_shared.enrolment import Credentials

NODE = "room-1"
SITE = "site"


def authority(folder: Path, clock: Clock | None = None) -> Authority:
    made = Authority(folder / "authority", clock or SystemClock())
    made.prepare(SITE, ())
    return made


def credentials(
    of: Authority,
    port: int = 8883,
    *,
    node: str = NODE,
    hub: str = "https://127.0.0.1:8443",
    valid_for: timedelta = timedelta(days=90),
) -> Credentials:
    issued = of.issue(node, valid_for)
    return Credentials(
        site=SITE,
        node=node,
        host="127.0.0.1",
        port=port,
        hub=hub,
        authority=of.authority_pem().decode(),
        certificate=issued.certificate.decode(),
        key=SecretStr(issued.key.decode()),
    )
