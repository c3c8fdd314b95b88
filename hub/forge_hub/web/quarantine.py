"""Routes of the quarantine: what could not be read, why, and trying it again. What was sent is not shown here."""

import asyncio

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from forge_hub.access import audit
from forge_hub.ingest.replay import Replayed, listed, listing
from forge_hub.web.site import Site, SiteOf, Who
from forge_hub.web.wording import reason_words


def add_routes(app: FastAPI) -> None:
    """Add the routes."""

    @app.get("/quarantine")
    def quarantine(request: Request, site: SiteOf) -> HTMLResponse:
        return _list(request, site, None)

    @app.get("/quarantine/{entry_id}")
    def one(request: Request, entry_id: str, site: SiteOf) -> HTMLResponse:
        entry = listed(site.parts.database, entry_id)
        return site.pages.page(request, "quarantined.html", entry=entry, words=reason_words(entry.code))

    @app.post("/quarantine/replay")
    async def replay_all(request: Request, site: SiteOf, who: Who) -> HTMLResponse:
        return await _replay(request, site, who.account_id, None)

    @app.post("/quarantine/{entry_id}/replay")
    async def replay_one(request: Request, entry_id: str, site: SiteOf, who: Who) -> HTMLResponse:
        return await _replay(request, site, who.account_id, entry_id)


async def _replay(request: Request, site: Site, account: str, entry_id: str | None) -> HTMLResponse:
    replayed = await site.parts.upkeep.replay(entry_id)
    note = (site.parts.database, site.parts.clock.now(), account, "quarantine.replay", entry_id or site.parts.site)
    await asyncio.to_thread(audit.note, *note)
    return await asyncio.to_thread(_list, request, site, replayed)


def _list(request: Request, site: Site, replayed: Replayed | None) -> HTMLResponse:
    entries, total = listing(site.parts.database)
    words = {entry.code: reason_words(entry.code) for entry in entries}
    return site.pages.page(request, "quarantine.html", entries=entries, total=total, words=words, replayed=replayed)
