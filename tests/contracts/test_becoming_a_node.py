"""A node and a hub over real HTTPS: how the node gets its identity, and who does not."""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from mnemonic import Mnemonic
from sqlalchemy import select
from structlog.testing import capture_logs
from tests.fakes import keys
from tests.fakes.clock import FakeClock
from tests.fakes.pages import HubPages, client, csrf, open_pages, serve
from tests.fakes.ports import free_port

from forge_edge import enrolment
from forge_edge.enrolment import Renewal, client_context, enrol, read_claim, renew
from forge_edge.errors import EnrolmentError
from forge_edge.settings import load_credentials
from forge_hub.fleet.authority import Authority
from forge_hub.records.schema import Audit
from forge_shared.clock import SystemClock
from forge_shared.enrolment import Credentials


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path, https=True) as opened:
        yield opened


@pytest.fixture
def authority(pages: HubPages, tmp_path: Path) -> Authority:
    assert pages.parts.fleet.url is not None
    return keys.authority(tmp_path)


@pytest.fixture
async def address(pages: HubPages, authority: Authority) -> AsyncIterator[str]:
    async with serve(pages, authority) as served:
        yield served


def words_for(pages: HubPages, node: str = "room-1") -> list[str]:
    return pages.parts.fleet.enrolment.claim(node, "ann").words.split()


async def enrolled(address: str, words: list[str], out: Path) -> Credentials:
    return await asyncio.to_thread(enrol, address, words, out)


async def refused(address: str, words: list[str], out: Path) -> str:
    with pytest.raises(EnrolmentError) as error:
        await enrolled(address, words, out)
    assert not out.exists()
    assert "xyzzy" not in str(error.value)
    return str(error.value)


@asynccontextmanager
async def relay(host: str, port: int, to: int) -> AsyncIterator[None]:
    """Carry what reaches an address of this machine on to a port of loopback."""

    async def one_way(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
        target.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(one_way(reader, far_writer), one_way(far_reader, writer))

    server = await asyncio.start_server(carry, host, port)
    try:
        yield
    finally:
        server.close()


def refusals(pages: HubPages) -> list[str]:
    with pages.database.read() as transaction:
        query = select(Audit.reason).where(Audit.action == "node.enrol", Audit.outcome == "refused").order_by(Audit.id)
        return [str(reason) for reason in transaction.scalars(query)]


async def test_a_node_becomes_one_with_a_claim_within_a_minute(pages: HubPages, address: str, tmp_path: Path) -> None:
    out = tmp_path / "new" / "room-1.json"
    started = time.monotonic()
    await enrolled(address.replace("127.0.0.1", "LOCALHOST"), [word.upper() for word in words_for(pages)], out)
    assert time.monotonic() - started < 60
    credentials = load_credentials(out)
    assert (credentials.node, credentials.host, credentials.port) == ("room-1", "localhost", 8883)
    assert credentials.key.get_secret_value() not in (tmp_path / "records.db").read_bytes().decode("latin-1")
    assert out.stat().st_mode & 0o777 == 0o600
    client_context(credentials)


async def test_a_claim_is_used_once(pages: HubPages, address: str, tmp_path: Path) -> None:
    words = words_for(pages)
    await enrolled(address, words, tmp_path / "first.json")
    assert "used" in await refused(address, words, tmp_path / "second.json")
    assert refusals(pages) == ["replayed"]


async def test_a_slip_of_the_typist_is_said_before_anything_is_asked(pages: HubPages, tmp_path: Path) -> None:
    words, nowhere, out = words_for(pages), "https://192.0.2.1", tmp_path / "x.json"
    assert "15 words, these are 14" in await refused(nowhere, words[:-1], out)
    assert "number 4" in await refused(nowhere, [*words[:3], "xyzzy", *words[4:]], out)
    swapped = [words[1], words[0], *words[2:]]
    if not Mnemonic("english").check(" ".join(swapped)):
        assert "do not fit each other" in await refused(nowhere, swapped, out)
    assert "https://" in await refused("http://192.0.2.1", words, out)


async def test_who_is_not_the_hub_is_told_nothing(pages: HubPages, address: str, tmp_path: Path) -> None:
    impostor = keys.authority(tmp_path / "impostor")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(impostor.server_certificate_file, impostor.server_key_file)
    heard = bytearray()

    def listen(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                raw, _ = server.accept()
                with suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
                    heard.extend(connection.recv(65536))

    words = words_for(pages)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, args=(server,), daemon=True).start()
        there = f"https://127.0.0.1:{server.getsockname()[1]}"
        assert "not the hub that made the claim" in await refused(there, words, tmp_path / "x.json")
        server.shutdown(socket.SHUT_RDWR)
    assert not heard
    await enrolled(address, words, tmp_path / "x.json")


async def test_a_hub_whose_certificate_does_not_name_its_address_is_not_believed(
    pages: HubPages, address: str, tmp_path: Path
) -> None:
    elsewhere = address.replace("127.0.0.1", "127.0.0.2")
    port = int(address.rsplit(":", 1)[1])

    async with relay("127.0.0.2", port, port):
        assert "FORGE_HUB_TLS_NAMES" in await refused(elsewhere, words_for(pages), tmp_path / "x.json")


async def test_a_claim_is_not_taken_in_clear_and_a_body_has_a_limit(pages: HubPages) -> None:
    secret = read_claim(words_for(pages))[0].hex()
    body = {"secret": secret, "request": "-----BEGIN CERTIFICATE REQUEST-----\n"}
    async with client(pages) as http:
        answer = await http.post("/enrol", json=body)
        assert (answer.status_code, "HTTPS" in answer.text) == (403, True)
    https = httpx.ASGITransport(pages.app)
    async with httpx.AsyncClient(transport=https, base_url="https://hub.test") as http:
        assert (await http.post("/enrol", content=b"x" * 20_000)).status_code == 403
        for content in (b"", b"{}", b"[" * 9000, json.dumps({**body, "more": 1}).encode()):
            assert (await http.post("/enrol", content=content)).status_code == 400
            assert (await http.post("/enrol/renew", content=content)).status_code == 400
        tried = [(await http.post("/enrol", json=body)).status_code for _ in range(8)]
        assert tried[-1] == 429
        assert secret not in (await http.post("/enrol", json=body)).text
    assert "too-many" in refusals(pages)


async def test_hsts_is_sent_where_there_is_https_and_nowhere_else(pages: HubPages, tmp_path: Path) -> None:
    async with client(pages) as http:
        assert "max-age=31536000" in (await http.get("/login")).headers["strict-transport-security"]
    (tmp_path / "plain").mkdir()
    with open_pages(tmp_path / "plain") as plain:
        async with client(plain) as http:
            assert "strict-transport-security" not in (await http.get("/login")).headers


async def test_a_node_renews_itself_and_a_revoked_one_does_not(pages: HubPages, address: str, tmp_path: Path) -> None:
    out = tmp_path / "room-1.json"
    before = await enrolled(address, words_for(pages), out)
    after = await asyncio.to_thread(renew, before, out)
    assert load_credentials(out) == after
    assert after.key != before.key
    assert serial(after) != serial(before)
    await pages.parts.fleet.revocation.revoke("room-1", "ann")
    with pytest.raises(EnrolmentError, match="revoked"):
        await asyncio.to_thread(renew, after, out)
    assert load_credentials(out) == after
    assert keys.authority(tmp_path).revoked() == {serial(before), serial(after)}
    assert pages.published == [("revoked/room-1", b"")]


async def test_a_certificate_is_renewed_once_it_is_two_thirds_old_and_a_failure_is_tried_again(
    pages: HubPages, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment, "RETRY_SECONDS", (0.01, 0.05))
    out = tmp_path / "room-1.json"
    young = await enrolled(address, words_for(pages), out)
    clock = FakeClock()
    clock.at = SystemClock().now() + timedelta(days=59)
    assert not enrolment.renewal_is_due(young, clock.now())
    clock.advance(2 * 24 * 3600)
    free = free_port()
    broken = young.model_copy(update={"hub": f"https://127.0.0.1:{free}"})
    renewal, told = Renewal(out, broken, clock), asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(renewal.run(told.set))
        await asyncio.sleep(0.3)
        assert not told.is_set()
        async with relay("127.0.0.1", free, int(address.rsplit(":", 1)[1])):
            await asyncio.wait_for(told.wait(), 10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [line["event"] for line in logs] == ["certificate.not-renewed", "certificate.renewed"]
    assert serial(load_credentials(out)) != serial(young)


async def test_an_admin_sees_the_devices_issues_a_claim_and_revokes(
    pages: HubPages, address: str, tmp_path: Path
) -> None:
    pages.account("admin")
    async with client(pages, "admin") as http:
        http.headers["X-CSRF-Token"] = csrf(pages, http)
        assert (await http.post("/fleet/claims", data={"node": "hub"})).status_code == 422
        made = (await http.post("/fleet/claims", data={"node": "room-9"})).text
        words = [
            line.strip()[4:-5] for line in made.splitlines() if line.strip().startswith("<li>") and "<a" not in line
        ]
        code = made.split('class="code" src="')[1].split('"')[0]
        drawn = await http.get(code)
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert drawn.content.startswith(b"<svg")
        await enrolled(address, words, tmp_path / "room-9.json")
        assert "Room 9" in (await http.get("/fleet")).text
        assert (await http.post("/fleet/room-9/revoke")).status_code == 303
        assert "revoked" in (await http.get("/fleet")).text
        assert (await http.post("/fleet/room-9/revoke")).status_code == 404
        assert (await http.get("/authority.pem")).content == pages.parts.fleet.authority


async def test_without_https_of_its_own_the_hub_says_what_to_do(tmp_path: Path) -> None:
    with open_pages(tmp_path) as pages:
        pages.account("admin")
        async with client(pages, "admin") as http:
            assert "FORGE_HUB_TLS=own" in (await http.get("/fleet")).text
            headers = {"X-CSRF-Token": csrf(pages, http)}
            assert (await http.post("/fleet/claims", data={"node": "room-9"}, headers=headers)).status_code == 422


def serial(credentials: Credentials) -> int:
    return x509.load_pem_x509_certificate(credentials.certificate.encode()).serial_number
