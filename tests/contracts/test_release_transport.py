"""A node and a hub over real HTTPS: releases come to whom they are for, from any byte on, and to nobody else."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs
from tests.fakes import keys
from tests.fakes.cut_line import cut_line
from tests.fakes.pages import HubPages, open_pages, serve
from tests.fakes.releases import Site, write_release
from tuf.api.exceptions import DownloadError

from forge_edge.enrolment import enrol, serial_of, sign_with_key
from forge_edge.errors import UpdateUnreachableError
from forge_edge.hub_line import FromHub, HubAnsweredError, HubLine, MetadataFromHub
from forge_edge.update.fetching import Fetching, Parcel
from forge_edge.update.trusted import TrustedReleases
from forge_hub.releases.catalogue import Wish
from forge_hub.web.application import create_application
from forge_hub.web.release_files import DOWNLOADS_OF_NODE
from forge_shared.clock import SystemClock
from forge_shared.enrolment import RENEWAL_CONTEXT, Credentials
from forge_shared.release_access import RELEASES_PATH, TOKEN_CONTEXT, TOKEN_PATH


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path, https=True) as opened:
        yield opened


@pytest.fixture
async def address(pages: HubPages, tmp_path: Path) -> AsyncIterator[str]:
    async with serve(pages, keys.authority(tmp_path)) as served:
        yield served


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.begun(tmp_path / "releases", SystemClock())


async def enrolled(pages: HubPages, address: str, folder: Path, node: str = "room-1") -> Credentials:
    words = pages.parts.fleet.enrolment.claim(node, "ann").words.split()
    return await asyncio.to_thread(enrol, address, words, folder / f"{node}.json")


def line_of(credentials: Credentials) -> HubLine:
    return HubLine(lambda: credentials, SystemClock())


async def read(line: HubLine, path: str, offset: int = 0) -> bytes:
    return await asyncio.to_thread(lambda: b"".join(line.pieces(path, offset)))


async def refused(line: HubLine, path: str, offset: int = 0) -> int:
    with pytest.raises(HubAnsweredError) as error:
        await read(line, path, offset)
    return error.value.status


async def test_a_room_learns_and_fetches_by_https_what_it_shall_have(
    pages: HubPages, address: str, site: Site, tmp_path: Path
) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    site.catalogue.direct("room-1", [Wish(target, "rollout-7")])
    line = line_of(await enrolled(pages, address, tmp_path))
    roots = {name: await read(line, f"{name}/metadata/1.root.json") for name in ("images", "director")}
    trusted = TrustedReleases(
        tmp_path / "trusted",
        roots,
        MetadataFromHub(line, SystemClock()),
        lambda name: f"https://hub/{name}",
        SystemClock(),
    )
    wanted = (await asyncio.to_thread(trusted.wanted))["pose"]
    assert (wanted.target, wanted.rollout) == (target, "rollout-7")
    parcel = Parcel(f"images/targets/{wanted.sha256}.{target}", wanted.length, wanted.sha256)
    fetching = Fetching(tmp_path / "fetched", FromHub(line), SystemClock(), lambda *_: None, lambda: False)
    whole = await asyncio.to_thread(fetching.fetch, parcel)
    assert hashlib.sha256(whole.read_bytes()).hexdigest() == wanted.sha256


async def test_a_release_is_read_from_any_byte_on(pages: HubPages, address: str, site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    line = line_of(await enrolled(pages, address, tmp_path))
    (packed,) = (site.folder / "images" / "targets").iterdir()
    content = packed.read_bytes()
    assert packed.name.endswith(target)
    for offset in (0, 1, len(content) // 2, len(content) - 1):
        assert await read(line, f"images/targets/{packed.name}", offset) == content[offset:]
    assert await refused(line, f"images/targets/{packed.name}", len(content)) == 416


async def test_a_room_reads_what_it_is_told_itself_and_nothing_of_another(
    pages: HubPages, address: str, site: Site, tmp_path: Path
) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    named = f"{site.catalogue.direct('room-1', [Wish(target, 'manual')])}.targets.json"
    named_other = f"{site.catalogue.direct('room-2', [])}.targets.json"
    one = line_of(await enrolled(pages, address, tmp_path, "room-1"))
    other = line_of(await enrolled(pages, address, tmp_path, "room-2"))
    told = await read(one, f"director/metadata/{named}")
    assert target in json.loads(told)["signed"]["targets"]
    assert json.loads(await read(other, f"director/metadata/{named_other}"))["signed"]["targets"] == {}
    for path in (
        f"director/nodes/room-1/metadata/{named}",
        f"director/metadata/..%2F..%2Froom-1%2Fmetadata%2F{named}",
        "images/targets/..%2F..%2F..%2Fonline.pem",
        "images/metadata/..%2F..%2Fonline.pem",
        "images/staged/targets.json",
        "images/metadata/9.targets.json",
    ):
        assert await refused(other, path) in (403, 404), path


async def test_nobody_without_a_node_s_key_reads_anything(
    pages: HubPages, address: str, site: Site, tmp_path: Path
) -> None:
    site.publish(write_release(tmp_path / "release"))
    credentials = await enrolled(pages, address, tmp_path)
    digest = hashlib.sha256(b"a token").hexdigest()

    def asked(context: bytes, over: str) -> dict[str, str]:
        signature = sign_with_key(credentials, context + over.encode()).hex()
        return {"serial": serial_of(credentials), "digest": digest, "signature": signature}

    timestamp = f"{RELEASES_PATH}/images/metadata/timestamp.json"
    async with httpx.AsyncClient(base_url=address, verify=False) as stranger:  # noqa: S501 (who reads is judged)
        assert (await stranger.get(timestamp)).status_code == 403
        for token in ("-", "a token", digest, "0" * 64):
            assert (await stranger.get(timestamp, headers={"Authorization": f"Bearer {token}"})).status_code == 403
        # A signature that was given for something else opens nothing, nor one over another token.
        for wrong in (asked(RENEWAL_CONTEXT, digest), asked(TOKEN_CONTEXT, "0" * 64)):
            assert (await stranger.post(TOKEN_PATH, json=wrong)).status_code == 403
        assert (await stranger.post(TOKEN_PATH, content=b"x" * 5000)).status_code == 403
        # Who has listened to a node's own request learns no token from it, and neither does saying it again.
        for _ in range(2):
            granted = await stranger.post(TOKEN_PATH, json=asked(TOKEN_CONTEXT, digest))
            assert granted.json() == {"node": "room-1", "seconds": 900}
        assert (await stranger.get(timestamp, headers={"Authorization": f"Bearer {digest}"})).status_code == 403
        assert (await stranger.get(timestamp, headers={"Authorization": "Bearer a token"})).status_code == 200


async def test_a_room_that_is_revoked_reads_nothing_more(
    pages: HubPages, address: str, site: Site, tmp_path: Path
) -> None:
    site.publish(write_release(tmp_path / "release"))
    line = line_of(await enrolled(pages, address, tmp_path))
    assert await read(line, "images/metadata/timestamp.json")
    await pages.parts.fleet.revocation.revoke("room-1", "ann")
    # The token that it still has is worth nothing, and it gets no other.
    assert await refused(line, "images/metadata/timestamp.json") == 403


async def test_a_hub_that_was_started_anew_is_asked_for_another_token(
    pages: HubPages, site: Site, tmp_path: Path
) -> None:
    site.publish(write_release(tmp_path / "release"))
    authority = keys.authority(tmp_path)
    async with serve(pages, authority) as first:
        credentials = await enrolled(pages, first, tmp_path)
        place = [first]
        line = HubLine(lambda: credentials.model_copy(update={"hub": place[0]}), SystemClock())
        assert await read(line, "images/metadata/timestamp.json")
    pages.app = create_application(pages.parts)
    async with serve(pages, authority) as second:
        place[0] = second
        assert await read(line, "images/metadata/timestamp.json")


async def test_no_room_takes_the_hub_for_itself(pages: HubPages, address: str, site: Site, tmp_path: Path) -> None:
    site.publish(_large(tmp_path / "release"))
    credentials = await enrolled(pages, address, tmp_path)
    line = line_of(credentials)
    (packed,) = (site.folder / "images" / "targets").iterdir()
    lines = [line_of(credentials) for _ in range(DOWNLOADS_OF_NODE)]
    held = [each.pieces(f"images/targets/{packed.name}") for each in lines]
    for each in held:
        assert await asyncio.to_thread(next, each)
    assert await refused(line, f"images/targets/{packed.name}") == 503
    for one in lines:
        one.hang_up()
    del held
    for _ in range(100):
        try:
            assert len(await read(line, f"images/targets/{packed.name}")) == packed.stat().st_size
            break
        except HubAnsweredError:
            await asyncio.sleep(0.05)
    else:
        pytest.fail("what was let go counts on")


async def test_no_token_and_no_key_is_in_a_log_or_an_error(
    pages: HubPages, address: str, site: Site, tmp_path: Path
) -> None:
    site.publish(write_release(tmp_path / "release"))
    credentials = await enrolled(pages, address, tmp_path)
    line = line_of(credentials)
    with capture_logs() as logs:
        await read(line, "images/metadata/timestamp.json")
        token = line._valid_token()  # noqa: SLF001 (what must not be found)
        await pages.parts.fleet.revocation.revoke("room-1", "ann")
        with pytest.raises(UpdateUnreachableError) as error:
            await read(line, "images/metadata/timestamp.json")
    said = f"{logs} {error.value!r}"
    assert token not in said
    assert credentials.key.get_secret_value()[40:80] not in said


async def test_a_download_that_is_cut_at_every_tenth_costs_hardly_more_than_one_that_is_not(
    pages: HubPages, address: str, site: Site, tmp_path: Path
) -> None:
    target = site.publish(_large(tmp_path / "release"))
    credentials = await enrolled(pages, address, tmp_path)
    named = site.catalogue.images.targets()[target]
    parcel = Parcel(f"images/targets/{named.hashes['sha256']}.{target}", named.length, named.hashes["sha256"])
    with cut_line(int(address.rpartition(":")[2])) as way:
        over = credentials.model_copy(update={"hub": f"https://127.0.0.1:{way.port}"})
        cuts = 0
        while True:
            way.allowance = named.length // 10
            # A node that was started anew: nothing is remembered but what is on its disk.
            line = line_of(over)
            fetching = Fetching(tmp_path / "fetched", FromHub(line), SystemClock(), lambda *_: None, lambda: False)
            try:
                whole = await asyncio.to_thread(fetching.fetch, parcel)
                break
            except UpdateUnreachableError:
                cuts += 1
        assert cuts >= 10
        assert way.brought <= 1.02 * named.length
    assert hashlib.sha256(whole.read_bytes()).hexdigest() == parcel.sha256


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 OK\r\nX: "])
async def test_a_hub_that_drips_its_answer_is_let_go(
    pages: HubPages, address: str, tmp_path: Path, says: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forge_edge.hub_line.ANSWER_SECONDS", 0.3)
    credentials = await enrolled(pages, address, tmp_path)

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        with suppress(OSError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        slow = credentials.model_copy(update={"hub": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"})
        async with asyncio.timeout(5):
            with pytest.raises(UpdateUnreachableError):
                await read(line_of(slow), "images/metadata/timestamp.json")


@pytest.mark.parametrize(("offset", "status"), [(0, "200 OK"), (10, "206 Partial Content"), (10, "200 OK")])
async def test_an_answer_that_ends_before_its_stated_length_is_a_broken_line_and_no_reason_for_distrust(
    pages: HubPages, address: str, tmp_path: Path, offset: int, status: str
) -> None:
    credentials = await enrolled(pages, address, tmp_path)
    granted = b'{"node": "room-1", "seconds": 900}'

    async def cut_short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"POST"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(granted) + granted)
        else:
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 100\r\n\r\n".encode() + b"x" * 50)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(cut_short, "127.0.0.1", 0)
    async with server:
        cut = credentials.model_copy(update={"hub": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"})
        with pytest.raises(UpdateUnreachableError):
            await read(line_of(cut), "images/metadata/timestamp.json", offset)
        metadata = MetadataFromHub(line_of(cut), SystemClock())
        with pytest.raises(DownloadError):
            await asyncio.to_thread(metadata.download_bytes, "https://hub/images/metadata/timestamp.json", 1000)


def _large(folder: Path) -> Path:
    """Write a release that no socket's buffers hold."""
    release = write_release(folder)
    content = bytes(24_000_000)
    (release / "model.onnx").write_bytes(content)
    manifest = json.loads((release / "manifest.json").read_text())
    for file in manifest["files"]:
        if file["path"] == "model.onnx":
            file.update(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    (release / "manifest.json").write_text(json.dumps(manifest))
    return release
