"""A throw-away PostgreSQL server from the machine's own packages, gone when the tests end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import make_url

from forge_shared.ids import new_id

START_SECONDS = 30.0
INSTALL = "PostgreSQL is not installed: `apt install postgresql`, or set POSTGRESQL_TEST_URL"


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Yield the SQLAlchemy URL of a server's administrative database; ``durable`` as in production, else fast.

    `POSTGRESQL_TEST_URL` if it is set; else a server of our own, on a socket in a private folder. Where there is none,
    the test is skipped, in CI it fails.
    """
    given = os.environ.get("POSTGRESQL_TEST_URL")
    if given:
        yield given
        return
    programs = _programs()
    if programs is None:
        if os.environ.get("CI") == "true":
            pytest.fail(INSTALL)
        pytest.skip(INSTALL)
    # The path of a socket holds at most 107 bytes, which pytest's own folders may exceed.
    with (
        tempfile.TemporaryDirectory(prefix="forge-pg-", ignore_cleanup_errors=True) as folder,
        _running(programs, Path(folder), fsync="on" if durable else "off"),
    ):
        yield f"postgresql+psycopg://forge@/postgres?host={quote(folder)}"


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """Yield the SQLAlchemy URL of a fresh, empty database on a server, and drop it afterwards."""
    url = make_url(server_url)
    name = f"forge_{new_id().replace('-', '')}"
    administrator = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(administrator, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _programs() -> Path | None:
    """Return the folder of ``initdb`` and ``postgres``: Debian's newest version, else the one on the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    found = shutil.which("postgres")
    return debian[-1].parent if debian else Path(found).parent if found and shutil.which("initdb") else None


@contextmanager
def _running(programs: Path, folder: Path, *, fsync: str) -> Iterator[None]:
    # PostgreSQL refuses to run as the superuser.
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    identity: dict[str, Any] = (
        {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "forge", "--auth=trust", "--no-sync", "--encoding=UTF8"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        timeout=START_SECONDS,
        **identity,
    )
    process = subprocess.Popen(
        # What tests hold in it is thrown away, so it need not survive a power cut.
        [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", f"fsync={fsync}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        **identity,
    )
    try:
        _await(process, folder)
        yield
    finally:
        # Immediate shutdown: its children end with it.
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=START_SECONDS)


def _await(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="forge", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > limit:
                raise
            time.sleep(0.05)
        else:
            return
