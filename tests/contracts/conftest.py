"""The relational store on SQLite and on a real PostgreSQL: whoever asks for one makes its claims of both.

Servers are started once for all tests of a process.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes import postgresql
from tests.fakes.neo4j_server import Neo4jServer, neo4j_server
from tests.fakes.records import sqlite_records

from forge_hub.records.database import Database, open_database


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with postgresql.server() as url:
        yield url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """Return a Neo4j server; who uses it empties it first."""
    with neo4j_server(tmp_path_factory.mktemp("neo4j")) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'records.db'}"
    else:
        with postgresql.database(request.getfixturevalue("postgresql_server")) as url:
            yield url


@pytest.fixture
def database(url: str, tmp_path: Path) -> Iterator[Database]:
    """Return an empty store, opened."""
    database = sqlite_records(tmp_path) if url.startswith("sqlite") else open_database(url)
    yield database
    database.close()
