"""A real Neo4j server for the tests.

The first of these that is there:

1. ``NEO4J_TEST_URI`` with ``NEO4J_TEST_USER`` and ``NEO4J_TEST_PASSWORD``: a server whose graph the tests may erase.
2. Java 17 and Maven: the community server out of its published artifacts (``neo4j/pom.xml``), in a folder of the test
   run, on loopback, with a password made for it.
3. A container engine that runs: the community image.

With none of them a test is skipped on a developer's machine and an error where ``CI`` is set. A server that should
start and does not is always an error.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import neo4j
import pytest
from neo4j.exceptions import DriverError, Neo4jError
from pydantic import SecretStr
from tests.fakes.ports import free_port

POM = Path(__file__).parent / "neo4j" / "pom.xml"
IMAGE = "docker.io/library/neo4j:5.26-community"
MISSING = "no Neo4j: install a Java 17 runtime and maven, or start docker or podman, or set NEO4J_TEST_URI"

RESOLVE_SECONDS = 240
START_SECONDS = 90
PREPARE_SECONDS = 480
STOP_SECONDS = 10

JAVA_OPTIONS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # The server lives for seconds: the first compiler starts it sooner.
    "-XX:TieredStopAtLevel=1",
    "-Dfile.encoding=UTF-8",
    "-Dlog4j2.disable.jmx=true",
    # Neo4j 5 reaches into these packages of Java 17 (its own start script opens them).
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
)

CONFIGURATION = """\
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
server.memory.pagecache.size=64m
db.tx_log.preallocate=false
db.tx_log.rotation.size=16m
"""


@dataclass(frozen=True)
class Neo4jServer:
    """Where a server listens and who may use it. ``uri`` is without the user."""

    uri: str
    user: str
    password: SecretStr


@contextmanager
def neo4j_server(folder: Path) -> Iterator[Neo4jServer]:
    """Give a server for the length of the block; one that is started keeps everything in ``folder``."""
    given = os.environ.get("NEO4J_TEST_URI")
    if given:
        user = os.environ.get("NEO4J_TEST_USER", "neo4j")
        yield Neo4jServer(given, user, SecretStr(os.environ["NEO4J_TEST_PASSWORD"]))
    elif shutil.which("java") and shutil.which("mvn"):
        with java_server(folder) as server:
            yield server
    elif engine := _container_engine():
        with container_server(engine) as server:
            yield server
    elif os.environ.get("CI"):
        raise RuntimeError(MISSING)
    else:
        pytest.skip(MISSING)


@contextmanager
def java_server(
    folder: Path, prepare: Callable[[Callable[[Sequence[str]], None]], None] | None = None
) -> Iterator[Neo4jServer]:
    """Run the server out of its Maven artifacts with its home in ``folder``, and kill it at the end.

    ``prepare`` is called before it starts, with what runs the server's administration tool.
    """
    classpath = _classpath(folder)
    port = free_port()
    # In hexadecimal, because it becomes an argument: with a "-" before it it would be taken for an option.
    server = Neo4jServer(f"bolt://127.0.0.1:{port}", "neo4j", SecretStr(secrets.token_hex(18)))
    configuration = folder / "conf"
    configuration.mkdir()
    (folder / "data").mkdir()
    (configuration / "neo4j.conf").write_text(CONFIGURATION.format(port=port))
    _run(
        [*_java(classpath), "org.neo4j.cli.AdminTool", "dbms", "set-initial-password"],
        folder,
        START_SECONDS,
        environment={"NEO4J_HOME": str(folder), "NEO4J_CONF": str(configuration)},
        secret=server.password.get_secret_value(),
    )
    if prepare is not None:
        home = {"NEO4J_HOME": str(folder), "NEO4J_CONF": str(configuration)}

        def admin(arguments: Sequence[str]) -> None:
            tool = [*_java(classpath), "org.neo4j.cli.AdminTool", *arguments]
            _run(tool, folder, PREPARE_SECONDS, environment=home)

        prepare(admin)
    output = folder / "output.txt"
    main = ["org.neo4j.server.CommunityEntryPoint", f"--home-dir={folder}", f"--config-dir={configuration}"]
    with output.open("wb") as sink:
        # Where it is known how, the kernel kills the server even when this process is killed outright.
        tether = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        process = subprocess.Popen(
            [*tether, *_java(classpath), *main],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(server, process, output)
        yield server
    finally:
        _end(process)


@contextmanager
def container_server(engine: str) -> Iterator[Neo4jServer]:
    """Run the server as a container, and remove it at the end."""
    password = secrets.token_hex(18)
    started = subprocess.run(
        [engine, "run", "--rm", "--detach", "--publish", "127.0.0.1::7687", "--env", "NEO4J_AUTH", IMAGE],
        env={**os.environ, "NEO4J_AUTH": f"neo4j/{password}"},
        capture_output=True,
        text=True,
        timeout=RESOLVE_SECONDS,
        check=True,
    )
    container = started.stdout.strip()
    try:
        published = subprocess.run(
            [engine, "port", container, "7687/tcp"], capture_output=True, text=True, timeout=STOP_SECONDS, check=True
        )
        port = int(published.stdout.split()[0].rpartition(":")[2])
        server = Neo4jServer(f"bolt://127.0.0.1:{port}", "neo4j", SecretStr(password))
        _wait_until_it_answers(server, None, None)
        yield server
    finally:
        subprocess.run([engine, "rm", "--force", container], capture_output=True, timeout=START_SECONDS, check=False)


def _classpath(folder: Path) -> str:
    """Return the server's class path; Maven fetches what its cache does not hold."""
    target = folder / "classpath.txt"
    command = ["mvn", "--batch-mode", "--quiet", "--strict-checksums", "--file", str(POM)]
    goal = ["dependency:build-classpath", f"-Dmdep.outputFile={target}"]
    try:
        _run([*command, "--offline", *goal], folder, RESOLVE_SECONDS)
    except RuntimeError:
        _run([*command, *goal], folder, RESOLVE_SECONDS)
    return target.read_text().strip()


def _java(classpath: str) -> list[str]:
    return ["java", *JAVA_OPTIONS, "-cp", classpath]


def _run(
    command: list[str],
    folder: Path,
    seconds: float,
    *,
    environment: dict[str, str] | None = None,
    secret: str | None = None,
) -> None:
    done = subprocess.run(
        command if secret is None else [*command, secret],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")


def _wait_until_it_answers(server: Neo4jServer, process: subprocess.Popen[bytes] | None, output: Path | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    auth = (server.user, server.password.get_secret_value())
    while True:
        try:
            with neo4j.GraphDatabase.driver(server.uri, auth=auth, connection_timeout=2) as driver:
                driver.execute_query("RETURN 1", database_="neo4j")
                return
        except (DriverError, Neo4jError) as error:
            ended = process is not None and process.poll() is not None
            if ended or time.monotonic() > deadline:
                said = output.read_text(errors="replace")[-4000:] if output else ""
                raise RuntimeError(f"the Neo4j server did not start ({type(error).__name__})\n{said}") from None
        time.sleep(0.25)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=STOP_SECONDS)


def _container_engine() -> str | None:
    for engine in ("docker", "podman"):
        path = shutil.which(engine)
        if (
            path
            and subprocess.run([path, "info"], capture_output=True, timeout=STOP_SECONDS, check=False).returncode == 0
        ):
            return path
    return None
