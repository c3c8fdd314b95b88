"""Makes a revocation effective: on the list that brokers read, and by ending the node's connection."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from forge_hub.fleet.authority import Authority
from forge_hub.fleet.enrolment import Enrolment
from forge_shared.logs import get_logger

OnRevoked = Callable[[Sequence[str]], Awaitable[None]]
"""Lets the broker read the list again and ends what these nodes have open."""

log = get_logger()


class Revocation:
    """Carries the store's revocations to the broker. Runs on the event loop of the serving hub."""

    def __init__(self, enrolment: Enrolment, authority: Authority, on_revoked: OnRevoked) -> None:
        self._enrolment = enrolment
        self._authority = authority
        self._on_revoked = on_revoked
        self._one_at_a_time = asyncio.Lock()

    async def revoke(self, node: str, by: str) -> int:
        """Revoke a node, now. Return how many certificates and claims it had.

        Raises:
            AuthorityError: The list cannot be written; the store has the revocation, and the next start applies it.
        """
        revoked = await asyncio.to_thread(self._enrolment.revoke, node, by)
        await self.apply()
        return revoked

    async def apply(self) -> list[str]:
        """Bring the list up to date with the store; return the nodes that were added to it."""
        async with self._one_at_a_time:
            nodes = await asyncio.to_thread(write_list, self._enrolment, self._authority)
            if nodes:
                log.info("node.revoked", nodes=nodes)
                await self._on_revoked(nodes)
            return nodes


def write_list(enrolment: Enrolment, authority: Authority) -> list[str]:
    """Write the revocation list from the store; return the nodes that were not on it yet.

    Raises:
        AuthorityError: It cannot be written.
    """
    revocations = enrolment.revocations()
    added = revocations.keys() - authority.revoked()
    if added:
        authority.revoke({serial: since for serial, (_, since) in revocations.items()})
    return sorted({revocations[serial][0] for serial in added})
