"""A server that leaves the process around it alone: no signals, no log, few connections. Costs 9 MB to import."""

import contextlib
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 1
"""How long a server that ends gives what is under way."""


class QuietServer(uvicorn.Server):
    """Serves one application on a socket that it is given.

    Args:
        application: What it serves.
        most_connections: Beyond these a request is answered 503: another user of the machine cannot fill the memory.
    """

    def __init__(self, application: ASGIApp, most_connections: int) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http="h11",
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                # It logs what strangers send; what matters of it is logged by the application.
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=most_connections,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: they are the node's."""
        yield
