"""Which node reads releases: tokens, each bound to a node and to the certificate with which it proved itself."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from forge_hub.errors import EnrolmentError
from forge_hub.fleet.enrolment import Enrolment
from forge_shared.clock import Clock
from forge_shared.release_access import TOKEN_CONTEXT, TokenGrant, TokenRequest

TOKEN_SECONDS: Final = 900
"""Ours: a look at two repositories takes seconds; a download that outlasts it goes on with another after a cut."""
MOST_TOKENS: Final = 4
"""Tokens of a node at once; its oldest goes. Ours: its updater, its command line, and what they lost at a restart."""


@dataclass(frozen=True, slots=True)
class _Granted:
    node: str
    serial: str
    until_seconds: float


class ReleaseTokens:
    """Grants tokens and tells whose one is. Kept in memory: after a restart of the hub nodes ask again.

    Its methods block on the store and on keys: call them from a thread. Threads may share it.

    Args:
        enrolment: Knows the nodes' certificates.
        clock: Ends tokens.
    """

    def __init__(self, enrolment: Enrolment, clock: Clock) -> None:
        self._enrolment = enrolment
        self._clock = clock
        self._lock = threading.Lock()
        self._granted: OrderedDict[str, _Granted] = OrderedDict()

    def grant(self, asked: TokenRequest) -> TokenGrant:
        """Let a token be its node's for a while.

        Raises:
            EnrolmentError: The certificate is unknown, revoked or over, or its key has not signed.
        """
        node = self._enrolment.signer(asked.serial, TOKEN_CONTEXT + asked.digest.encode(), asked.signature)
        now = self._clock.monotonic_seconds()
        with self._lock:
            self._granted.pop(asked.digest, None)
            self._granted[asked.digest] = _Granted(node, asked.serial, now + TOKEN_SECONDS)
            of_node = [digest for digest, granted in self._granted.items() if granted.node == node]
            over = [digest for digest, granted in self._granted.items() if granted.until_seconds <= now]
            for digest in {*of_node[:-MOST_TOKENS], *over}:
                del self._granted[digest]
        return TokenGrant(node=node, seconds=TOKEN_SECONDS)

    def node_of(self, token: str) -> str:
        """Return whose a token is, as long as its certificate holds: a node that is revoked reads nothing more.

        Raises:
            EnrolmentError: The token is unknown or over, or its certificate does not hold.
        """
        with self._lock:
            granted = self._granted.get(hashlib.sha256(token.encode()).hexdigest())
        if granted is None or granted.until_seconds <= self._clock.monotonic_seconds():
            raise EnrolmentError("the token is unknown or over: ask for another")
        if not self._enrolment.holds(granted.serial):
            raise EnrolmentError("the certificate is revoked or over: enrol the node again with a claim")
        return granted.node
