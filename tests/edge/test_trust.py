"""TLS of a room that does not know the time: a slow clock shuts nobody out, and only a verified hub is spoken to."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock

from forge_edge import trust
from forge_hub.fleet.authority import Authority
from forge_shared.clock import SystemClock


class Shifted(SystemClock):
    def __init__(self, days: float = 0) -> None:
        self.shift = timedelta(days=days)

    def now(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 (the port's own type)
        return super().now() + self.shift


def authority(folder: Path, days: float = 0) -> Authority:
    """Return an authority that made everything so many days from now."""
    made = Authority(folder, Shifted(days))
    made.prepare("ward-7", ["localhost"])
    return made


@contextmanager
def served(made: Authority) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.server_certificate_file, made.server_key_file)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = server.accept()
                    with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as tls:
                        tls.sendall(b"hub")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def hear(port: int, context: ssl.SSLContext, name: str = "localhost") -> bytes:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        return tls.recv(3)


def context_of(made: Authority, days: float = 0) -> ssl.SSLContext:
    return trust.context_of(made.certificate_file.read_text(encoding="ascii"), Shifted(days).now)


def test_a_room_whose_clock_is_behind_the_hubs_certificate_is_connected_and_openssl_alone_would_refuse(
    tmp_path: Path,
) -> None:
    made = authority(tmp_path, days=400)
    with served(made) as port:
        assert hear(port, context_of(made)) == b"hub"
        with pytest.raises(ssl.SSLCertVerificationError, match="not yet valid"):
            hear(port, ssl.create_default_context(cafile=str(made.certificate_file)))


@pytest.mark.parametrize(("made_days", "believed_days"), [(-900, 0), (0, 900), (0, 4000)])
def test_a_certificate_that_has_ended_by_the_rooms_best_knowledge_is_refused_whatever_the_machine_says(
    tmp_path: Path, made_days: float, believed_days: float
) -> None:
    made = authority(tmp_path, days=made_days)
    with served(made) as port, pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        hear(port, context_of(made, believed_days))


def test_another_authority_another_name_and_a_nodes_certificate_are_refused(tmp_path: Path) -> None:
    made, other = authority(tmp_path / "one"), authority(tmp_path / "two")
    with served(made) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|unable to get"):
            hear(port, context_of(other))
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            hear(port, context_of(made), "elsewhere.example")
    issued = made.issue("localhost", timedelta(days=1))
    made.server_certificate_file.write_bytes(issued.certificate)
    made.server_key_file.write_bytes(issued.key)
    with served(made) as port, pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        hear(port, context_of(made))


def test_where_others_may_sign_for_the_authority_openssl_judges_the_time(tmp_path: Path) -> None:
    made = authority(tmp_path)
    both = made.certificate_file.read_text(encoding="ascii") * 2
    assert not trust.context_of(both, FakeClock().now).verify_flags & trust.NO_CHECK_TIME
    assert context_of(made).verify_flags & trust.NO_CHECK_TIME


def test_a_connection_whose_time_nobody_would_judge_is_not_made(tmp_path: Path) -> None:
    context = context_of(authority(tmp_path))
    tls = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    with pytest.raises(ssl.SSLError, match="sockets only"):
        tls.do_handshake()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
