"""Routes of the explorer: a part of the graph around a point, drawn and as a table."""

from collections.abc import Collection
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse

from forge_hub.errors import NotFoundError
from forge_hub.graph.ports import NodeRef, Subgraph
from forge_hub.mind import evidence
from forge_hub.mind.inference import FRAMEWORKS, Framework
from forge_hub.records import reading
from forge_hub.web.explorer_view import (
    elements_of,
    identity,
    kinds_in,
    reference,
    relations_of,
    title_of,
    worth_showing,
)
from forge_hub.web.mind_wording import FRAMEWORK_WORDS
from forge_hub.web.people import note
from forge_hub.web.site import Site, SiteOf, Who

NODES = 24
"""Nodes around a point that are drawn at first. Ours: more hide each other's names."""

MOST = 160
"""Nodes that are drawn when more are asked for, at most. Ours: with the buttons that enlarge it."""

At = Annotated[str, Query(max_length=200)]
Frameworks = Annotated[list[str], Query(max_length=len(FRAMEWORKS))]
Limit = Annotated[int, Query(ge=1, le=MOST)]


def add_routes(app: FastAPI) -> None:
    """Add the page and the same as JSON."""

    @app.get("/people/{pseudonym}/explore")
    def explore(  # noqa: PLR0913 (what an address may ask for)
        request: Request,
        pseudonym: str,
        site: SiteOf,
        who: Who,
        *,
        at: At = "",
        framework: Frameworks = [],  # noqa: B006 (FastAPI copies it)
        limit: Limit = NODES,
    ) -> HTMLResponse:
        start, wanted, graph = _read(site, who, pseudonym, at, framework, limit)
        shown = worth_showing(graph, start)
        return site.pages.page(
            request,
            "explore.html",
            pseudonym=pseudonym,
            at=identity(start),
            start=start,
            title=title_of(graph, start),
            relations=relations_of(shown),
            kinds=kinds_in(shown),
            nodes=len(shown.nodes),
            wanted=wanted,
            frameworks=FRAMEWORK_WORDS,
            limit=limit,
            more=min(MOST, limit * 2) if len(graph.nodes) > limit and limit < MOST else 0,
            query=request.url.query,
        )

    @app.get("/people/{pseudonym}/graph.json")
    def graph(  # noqa: PLR0913 (what an address may ask for)
        pseudonym: str,
        site: SiteOf,
        who: Who,
        *,
        at: At = "",
        framework: Frameworks = [],  # noqa: B006 (FastAPI copies it)
        limit: Limit = NODES,
    ) -> JSONResponse:
        start, _, graph = _read(site, who, pseudonym, at, framework, limit)
        return JSONResponse(elements_of(worth_showing(graph, start), start))


def _read(  # noqa: PLR0913 (what both routes are given)
    site: Site, who: Who, pseudonym: str, at: str, framework: Collection[str], limit: int
) -> tuple[NodeRef, list[Framework], Subgraph]:
    site.access.assignments.check(who, pseudonym)
    start = reference(at) or NodeRef("Persona", pseudonym)
    _check_own(site, pseudonym, start)
    note(site, who, "graph.read", identity(start), pseudonym)
    wanted = [each for each in FRAMEWORKS if each in framework]
    graph = site.parts.graph.neighbourhood(start, person=pseudonym, frameworks=wanted or None, limit=limit)
    return start, wanted, graph


def _check_own(site: Site, pseudonym: str, start: NodeRef) -> None:
    """Refuse a node that belongs to somebody else.

    Raises:
        NotFoundError: It is not this person's.
    """
    database = site.parts.database
    match start.label:
        case "Persona":
            own = start.key == pseudonym
        case "Session":
            own = evidence.session_of(database, pseudonym, start.key) is not None
        case "Utterance":
            own = reading.utterance(database, start.key).subject == pseudonym
        case "FormResponse" | "PatternSummary":
            around = site.parts.graph.neighbourhood(start, person=pseudonym, limit=MOST)
            own = any(node.ref == NodeRef("Persona", pseudonym) for node in around.nodes) or any(
                node.label == "Session" and _is_session_of(site, pseudonym, node.key) for node in around.nodes
            )
        case _:
            own = True
    if not own:
        raise NotFoundError("there is no such node of this person")


def _is_session_of(site: Site, pseudonym: str, session_id: str) -> bool:
    try:
        evidence.session_of(site.parts.database, pseudonym, session_id)
    except NotFoundError:
        return False
    return True
