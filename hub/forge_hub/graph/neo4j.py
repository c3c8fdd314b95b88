"""The graph in Neo4j 5 and later, over Bolt, by the official driver."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import neo4j
from neo4j.exceptions import AuthError, ConfigurationError, DriverError, Neo4jError, TransientError
from pydantic import SecretStr

from forge_hub.graph import cypher
from forge_hub.graph.answering import CypherAnswers, Result
from forge_hub.graph.errors import GraphError, GraphUnavailableError
from forge_hub.graph.ports import GraphBatch
from forge_hub.graph.schema import KEY, NODES, VERSION

CONNECT_TIMEOUT_SECONDS = 5.0
ACQUIRE_TIMEOUT_SECONDS = 6.0
RETRY_SECONDS = 5.0
"""How long the driver repeats a transaction that a passing trouble ended; the projection tries later again."""
TRANSACTION_TIMEOUT_SECONDS = 30.0
"""After this the server ends a transaction."""
ERASE_ROWS = 10_000
"""Nodes deleted in one transaction, since a transaction is held in the server's memory."""


class Neo4jGraphStore(CypherAnswers):
    """A `forge_hub.graph.ports.GraphStore` in a Neo4j server.

    Several processes may use one server; the unique keys keep them from making a node twice. The server sees
    pseudonymised text as parameters: an enterprise server's query log should have
    ``db.logs.query.parameter_logging_enabled=false``.

    Args:
        uri: ``bolt://host:port``, ``neo4j://host:port``, or either with ``+s`` for TLS.
        user: Name of the database user.
        password: Its password; kept by the driver only.

    Raises:
        GraphUnavailableError: The server cannot be reached, or does not take user and password.
        GraphError: The address is none, or the server refuses the schema.
    """

    def __init__(self, uri: str, user: str, password: SecretStr) -> None:
        try:
            self._driver = neo4j.GraphDatabase.driver(
                uri,
                auth=(user, password.get_secret_value()),
                connection_timeout=CONNECT_TIMEOUT_SECONDS,
                connection_acquisition_timeout=ACQUIRE_TIMEOUT_SECONDS,
                max_transaction_retry_time=RETRY_SECONDS,
                # Hints to a developer, such as that a label has no nodes yet; they would quote statements in logs.
                notifications_min_severity="OFF",
                telemetry_disabled=True,
            )
        except (ConfigurationError, ValueError):
            raise GraphError("no address of a Neo4j server") from None
        self._closed = False
        try:
            with _translated():
                self._driver.verify_connectivity()
            self._create_schema()
        except GraphError:
            self.close()
            raise

    def apply(self, batch: GraphBatch) -> None:
        """Merge a batch and move the position, all or nothing."""
        self._write(lambda run: cypher.write(run, "neo4j", batch))

    def clear(self) -> None:
        """Remove all nodes that this program ever made, and write the vocabulary; what else there is stays."""
        self._write(_one(f"MATCH (c:{cypher.CURSOR}) DELETE c"))
        labels = "|".join(sorted({*NODES, *self._labels()} - {cypher.CURSOR}))
        statement = f"MATCH (n:{labels}) WITH n LIMIT {ERASE_ROWS} DETACH DELETE n RETURN count(*)"
        while self._write(_one(statement))[0][0] == ERASE_ROWS:
            continue
        self._write(lambda run: cypher.write(run, "neo4j", cypher.vocabulary()))

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        with _translated():
            self._driver.close()

    def _create_schema(self) -> None:
        """Make the constraints and the vocabulary; empty a store that was written with another schema."""
        if self._read(cypher.version) not in (None, VERSION) or self._read(cypher.is_foreign):
            self.clear()
        keys = {cypher.CURSOR: "name", **dict.fromkeys(NODES, KEY)}
        for label in sorted(set(self._labels()) - set(keys)):
            self._write(_one(f"DROP CONSTRAINT {_constraint(label)} IF EXISTS"))
        for label, key in keys.items():
            # A unique key is an index, too; every question of ours starts at one.
            self._write(
                _one(f"CREATE CONSTRAINT {_constraint(label)} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE")
            )
        self._write(lambda run: cypher.write(run, "neo4j", cypher.vocabulary()))

    def _labels(self) -> list[str]:
        """Return the labels that this program, or one before it, has made constraints for."""
        shown = "SHOW CONSTRAINTS YIELD name, labelsOrTypes WHERE name STARTS WITH 'forge_' RETURN labelsOrTypes[0]"
        return [str(label) for (label,) in self._read(_one(shown))]

    def _write(self, work: Callable[[cypher.Run], Result]) -> Result:
        with self._session(neo4j.WRITE_ACCESS) as session:
            return session.execute_write(_unit(work))

    def _read(self, work: Callable[[cypher.Run], Result]) -> Result:
        with self._session(neo4j.READ_ACCESS) as session:
            return session.execute_read(_unit(work))

    @contextmanager
    def _session(self, access: str) -> Iterator[neo4j.Session]:
        if self._closed:
            raise GraphUnavailableError("the graph is closed")
        with _translated(), self._driver.session(default_access_mode=access) as session:
            yield session


def _one(statement: str) -> Callable[[cypher.Run], list[list[Any]]]:
    return lambda run: run(statement)


def _constraint(label: str) -> str:
    return f"forge_{label.lower()}"


def _unit(work: Callable[[cypher.Run], Result]) -> Callable[[neo4j.ManagedTransaction], Result]:
    """Make ``work`` what the driver repeats when a passing trouble ends its transaction."""

    @neo4j.unit_of_work(timeout=TRANSACTION_TIMEOUT_SECONDS)
    def transact(transaction: neo4j.ManagedTransaction) -> Result:
        def run(statement: str, **parameters: Any) -> list[list[Any]]:  # noqa: ANN401 (whatever Cypher takes)
            return [list(record) for record in transaction.run(cypher.spoken(statement, "neo4j"), parameters)]

        return work(run)

    return transact


@contextmanager
def _translated() -> Iterator[None]:
    """Raise the driver's errors as ours. A server's message may quote values, hence neither repeated nor chained."""
    try:
        yield
    except AuthError:
        raise GraphUnavailableError("the Neo4j server does not take this user and password") from None
    except TransientError:
        raise GraphUnavailableError("the Neo4j server is busy or starting") from None
    except Neo4jError as error:
        raise GraphError(f"the Neo4j server refused a statement ({error.code})") from None
    except DriverError:
        raise GraphUnavailableError("the Neo4j server cannot be reached") from None
