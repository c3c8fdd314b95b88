"""The knowledge graph: one port, Ladybug embedded by default, Neo4j in production, derived from the event log."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from forge_hub.errors import HubConfigError
from forge_hub.graph.embedded import EmbeddedGraphStore
from forge_hub.graph.neo4j import Neo4jGraphStore
from forge_hub.graph.ports import GraphStore

NEO4J_SCHEMES = ("bolt", "bolt+s", "neo4j", "neo4j+s")


def open_graph(uri: str, password: SecretStr | None) -> GraphStore:
    """Open the graph that a URI names.

    Args:
        uri: ``ladybug:///path/of/file``, or ``bolt://user@host:port`` (also ``neo4j://``, and ``+s`` for TLS).
        password: Of the Neo4j user; Ladybug has none.

    Raises:
        HubConfigError: The URI names no graph store, or its password is missing or in the URI.
        GraphUnavailableError: The server cannot be reached, or another process owns the file.
        GraphError: The store cannot be opened.
    """
    try:
        parts = urlsplit(uri)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise HubConfigError("the graph's URI cannot be read") from None
    if parts.scheme == "ladybug" and not parts.netloc and parts.path.startswith("/"):
        return EmbeddedGraphStore(Path(unquote(parts.path)))
    if parts.scheme not in NEO4J_SCHEMES or host is None:
        raise HubConfigError("the graph's URI is ladybug:///path or bolt://user@host:port")
    if parts.password is not None:
        raise HubConfigError("the graph's password belongs in its own setting, not in the URI")
    if password is None or not parts.username:
        raise HubConfigError("a Neo4j graph needs a user in its URI and a password")
    place = f"[{host}]" if ":" in host else host
    return Neo4jGraphStore(f"{parts.scheme}://{place}{f':{port}' if port else ''}", unquote(parts.username), password)
