"""What every route is given."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from forge_hub.access import Access, SignedIn
from forge_hub.web.guard import current
from forge_hub.web.parts import Parts
from forge_hub.web.rendering import Pages
from forge_hub.web.streams import Streams


@dataclass(frozen=True, slots=True)
class Site:
    """The hub's parts and what the pages add to them."""

    parts: Parts
    access: Access
    pages: Pages
    streams: Streams

    @property
    def cookie(self) -> str:
        """Name of the session's cookie. The prefix makes browsers insist on HTTPS and on this host (RFC 6265bis)."""
        return "__Host-forge" if self.parts.https else "forge"

    @property
    def pending_cookie(self) -> str:
        """Name of the cookie of a browser whose password was right and whose one-time code is awaited."""
        return f"{self.cookie}-code"


def site_of(request: Request) -> Site:
    """Return the site that a request is for."""
    return cast("Site", request.app.state.site)


SiteOf = Annotated[Site, Depends(site_of)]
Who = Annotated[SignedIn, Depends(current)]
