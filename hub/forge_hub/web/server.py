"""The server of the pages, which the hub starts and ends."""

import contextlib
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from forge_hub.settings import HubSettings
from forge_hub.web.application import end_streams

GRACE_SECONDS = 3
"""How long open pages may keep the hub from stopping."""


class PageServer(uvicorn.Server):
    """Serves the pages on the host and port that the settings name.

    Args:
        settings: The hub's settings.
        pages: What `create_application` made.
        certificate: Files of the certificate and its key, for HTTPS of the hub's own.
        proxied: Whether browsers reach it through a proxy that speaks HTTPS.
    """

    def __init__(
        self, settings: HubSettings, pages: FastAPI, *, certificate: tuple[str, str] | None, proxied: bool
    ) -> None:
        chain, key = certificate or (None, None)
        super().__init__(
            uvicorn.Config(
                pages,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                server_header=False,
                # Whose word it is that a request came by HTTPS: the proxy's only where there is one.
                proxy_headers=proxied,
                ssl_certfile=chain,
                ssl_keyfile=key,
            )
        )
        self._pages = pages
        self._scheme = "http" if certificate is None else "https"

    @property
    def address(self) -> str:
        """Where it listens, once it has started."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"{self._scheme}://{host}:{port}"

    def end(self) -> None:
        """End it and the open streams, which would otherwise hold it until its grace is over."""
        end_streams(self._pages)
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again, which ends the process before its children are."""
        yield
