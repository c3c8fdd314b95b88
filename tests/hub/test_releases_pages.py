"""Releases on the admin's pages and by the API: added whole or refused, signed elsewhere, published, withdrawn."""

import asyncio
import io
import json
import tarfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from securesystemslib.signer import CryptoSigner
from sqlalchemy import select
from tests.fakes.pages import HubPages, client, csrf, open_pages
from tests.fakes.releases import Site, write_release

from forge_hub.errors import ReleaseError
from forge_hub.records.schema import Audit
from forge_hub.releases import intake as intakes
from forge_hub.releases.approval import sign_document
from forge_hub.releases.intake import Intake
from forge_hub.releases.unpacking import unpack
from forge_shared.releases import MANIFEST

TARGET = "fall-pose-1.0.0.tar"
BINARY = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in ("staff", "clinician", "admin"):
            opened.account(role)
        yield opened


def packed(folder: Path, kind: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=kind) as tar:  # type: ignore[call-overload]
        tar.add(folder, arcname=folder.name)
    return file.getvalue()


def zipped(folder: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return file.getvalue()


async def upload(http: httpx.AsyncClient, content: bytes, token: str) -> httpx.Response:
    return await http.post("/v1/admin/releases", content=content, headers={**BINARY, "X-CSRF-Token": token})


def signed(site: Site, document: bytes, number: int = 0) -> bytes:
    return sign_document(document, site.approvers[number]).model_dump_json().encode()


async def approved(http: httpx.AsyncClient, site: Site, token: str) -> None:
    document = (await http.get("/releases/approval/document.json")).content
    for number in range(2):
        file = {"signature": ("releases.json.sig", signed(site, document, number))}
        answer = await http.post("/releases/approval/signatures", files=file, data={"csrf_token": token})
        assert answer.status_code == 303, answer.text


def traces(pages: HubPages) -> list[tuple[str, str, str]]:
    with pages.database.read() as transaction:
        rows = transaction.execute(
            select(Audit.action, Audit.object, Audit.outcome)
            .where(Audit.action.like("release.%"))
            .order_by(Audit.position)
        )
        return [(row[0], row[1], row[2]) for row in rows]


async def test_a_site_that_has_no_keys_says_how_to_begin(pages: HubPages) -> None:
    async with client(pages, "admin") as http:
        assert "No keys have been begun" in (await http.get("/releases")).text
        site = pages.keys_are_begun()
        begun = (await http.get("/releases")).text
    assert "No releases yet." in begun
    assert site.catalogue.images.exists


async def test_a_release_is_added_signed_by_two_elsewhere_published_and_withdrawn(
    pages: HubPages, tmp_path: Path
) -> None:
    site = pages.keys_are_begun()
    async with client(pages, "admin") as http:
        token = csrf(pages, http)
        added = await upload(http, packed(write_release(tmp_path / "release")), token)
        assert (added.status_code, added.json()) == (201, {"target": TARGET})
        shown = (await http.get(f"/releases/{TARGET}")).text
        for words in ("Apache-2.0", "# What it is", "1 hour", "80 ms", "[1.0]", "[2.0]", "orin-nano"):
            assert words in shown, words
        assert "2 of 2 signatures missing" in (await http.get("/releases/approval")).text
        early = await http.post("/releases/approval/publish", data={"csrf_token": token})
        assert early.status_code == 422
        await approved(http, site, token)
        assert "2 people have approved it" in (await http.get("/releases/approval")).text
        published = await http.post("/releases/approval/publish", data={"csrf_token": token})
        assert published.headers["location"] == "/releases?published=1"
        assert list(site.catalogue.images.targets()) == [TARGET]
        await http.post(f"/releases/{TARGET}/withdraw", data={"csrf_token": token})
        assert "is withdrawn: no room gets it any more" in (await http.get("/releases/approval")).text
        await approved(http, site, token)
        await http.post("/releases/approval/publish", data={"csrf_token": token})
    assert list(site.catalogue.images.targets()) == []
    keys = [each.public_key.keyid[:16] for each in site.approvers]
    assert traces(pages) == [
        ("release.add", TARGET, "done"),
        ("release.publish", "version-1", "refused"),
        *[("release.sign", f"version-1/{key}", "done") for key in keys],
        ("release.publish", "version-1", "done"),
        ("release.withdraw", TARGET, "done"),
        *[("release.sign", f"version-2/{key}", "done") for key in keys],
        ("release.publish", "version-2", "done"),
    ]


async def test_the_same_is_done_by_the_api_with_the_session_s_token(pages: HubPages, tmp_path: Path) -> None:
    site = pages.keys_are_begun()
    async with client(pages, "admin") as http:
        token = (await http.get("/v1/admin/releases")).headers["X-CSRF-Token"]
        headers = {"X-CSRF-Token": token}
        added = await upload(http, zipped(write_release(tmp_path / "release")), token)
        assert added.status_code == 201
        document = (await http.get("/v1/admin/approval/document")).content
        for number, missing in ((0, 1), (0, 1), (1, 0)):
            state = await http.post(
                "/v1/admin/approval/signatures", content=signed(site, document, number), headers=headers
            )
            assert state.json()["waiting"]["missing"] == missing, "the same person twice is one person"
        state = await http.post("/v1/admin/approval/publish", headers=headers)
        assert [(each["target"], each["state"]) for each in state.json()["releases"]] == [(TARGET, "published")]
        detail = (await http.get(f"/v1/admin/releases/{TARGET}")).json()
        assert detail["manifest"]["licence"] == "Apache-2.0"
        waiting = await http.post(f"/v1/admin/releases/{TARGET}/withdraw", headers=headers)
        assert waiting.json()["releases"][0]["state"] == "withdrawal-waiting"
        back = await http.post(f"/v1/admin/releases/{TARGET}/take-back", headers=headers)
        assert back.json()["waiting"] is None
        assert (await http.get("/v1/admin/approval/document")).json() == {"code": "record.unknown"}
        nothing = await http.post("/v1/admin/approval/publish", headers=headers)
        assert (nothing.status_code, nothing.json()["message"]) == (422, "nothing waits to be published")
        assert (await http.post("/v1/admin/approval/publish")).status_code == 403


async def test_only_an_admin_comes_near_the_releases(pages: HubPages, tmp_path: Path) -> None:
    pages.keys_are_begun()
    content = packed(write_release(tmp_path / "release"))
    async with client(pages, "clinician") as http:
        assert (await upload(http, content, csrf(pages, http))).status_code == 403
        assert (await http.get("/releases")).status_code == 403
    async with client(pages) as http:
        assert (await http.get("/v1/admin/releases")).status_code == 401
        assert (await upload(http, content, "guess")).status_code == 401
    async with client(pages, "admin") as http:
        assert (await upload(http, content, "guess")).status_code == 403
    assert pages.parts.releases.catalogue.images.staged_targets() is None


async def test_a_signature_over_what_waited_before_is_refused_with_what_to_do(pages: HubPages, tmp_path: Path) -> None:
    site = pages.releases_wait()
    stranger = CryptoSigner.generate_ed25519()
    async with client(pages, "admin") as http:
        token = csrf(pages, http)
        before = (await http.get("/releases/approval/document.json")).content
        await upload(http, packed(write_release(tmp_path / "more", version="1.2.0", counter=3)), token)
        document = (await http.get("/releases/approval/document.json")).content
        forged = json.loads(signed(site, document))
        wrong = {
            "what waits has changed": signed(site, before),
            "no signature of": b"{}",
            "this key has no say": sign_document(document, stranger).model_dump_json().encode(),
            "not over what waits here": json.dumps({**forged, "sig": "0" * 128}).encode(),
        }
        for words, content in wrong.items():
            file = {"signature": ("releases.json.sig", content)}
            answer = await http.post("/releases/approval/signatures", files=file, data={"csrf_token": token})
            assert answer.status_code == 422
            assert words in answer.text
    assert not any(signed for _, signed in site.catalogue.images.approvers())
    assert [trace[2] for trace in traces(pages)] == ["done", *["refused"] * 4]


async def test_what_is_taken_back_is_gone_and_the_rest_still_waits(pages: HubPages) -> None:
    site = pages.releases_wait()
    site.catalogue.withdraw(TARGET)
    files = pages.folder / "releases" / "images" / "targets"
    assert len(list(files.iterdir())) == 2
    async with client(pages, "admin") as http:
        token = {"csrf_token": csrf(pages, http)}
        await http.post("/releases/fall-pose-1.1.0.tar/take-back", data=token)
        assert [path.name.split(".", 1)[1] for path in files.iterdir()] == [TARGET]
        waits = (await http.get("/v1/admin/releases")).json()["waiting"]["changes"]
        assert [(each["target"], each["kind"]) for each in waits] == [(TARGET, "withdrawn")]
        await http.post(f"/releases/{TARGET}/take-back", data=token)
        assert "Nothing waits for approval." in (await http.get("/releases/approval")).text


async def test_an_upload_that_is_no_release_is_refused_in_words_and_leaves_nothing(
    pages: HubPages, tmp_path: Path
) -> None:
    pages.keys_are_begun()
    release = write_release(tmp_path / "release")
    good = packed(release)
    (release / "model.onnx").write_bytes(b"other weights")
    async with client(pages, "admin") as http:
        token = csrf(pages, http)
        for content, words in (
            (b"not an archive", "neither a tar nor a zip"),
            (good[:2000], "there is no manifest.json"),
            (packed(release), "model.onnx is not what the manifest says"),
            (zipped(tmp_path / "release")[:-30], "neither a tar nor a zip"),
        ):
            answer = await upload(http, content, token)
            assert answer.status_code == 422
            assert words in answer.json()["message"]
        large = await upload(http, b"x" * (2**20 + 1), token)
        assert large.status_code == 413
        form = await http.post("/v1/admin/releases", data={"x": "y" * 300_000}, headers={"X-CSRF-Token": token})
        assert form.status_code == 413, "a form is read whole before anybody is asked who sends it"
    assert not (pages.folder / "releases" / "uploads").exists()
    assert pages.parts.releases.catalogue.images.staged_targets() is None


def _link(tar: tarfile.TarFile) -> None:
    entry = tarfile.TarInfo("card.md")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/hostname"
    tar.addfile(entry)


def _outside(tar: tarfile.TarFile) -> None:
    tar.addfile(tarfile.TarInfo("../../card.md"))


def _absolute(tar: tarfile.TarFile) -> None:
    tar.addfile(tarfile.TarInfo("/tmp/card.md"))  # noqa: S108 (what must not be written)


def _device(tar: tarfile.TarFile) -> None:
    entry = tarfile.TarInfo("card.md")
    entry.type = tarfile.CHRTYPE
    tar.addfile(entry)


def _twice(tar: tarfile.TarFile) -> None:
    for _ in range(2):
        tar.addfile(tarfile.TarInfo("card.md"))


def _file_and_folder(tar: tarfile.TarFile) -> None:
    tar.addfile(tarfile.TarInfo("card"))
    tar.addfile(tarfile.TarInfo("card/more"))


def _many(tar: tarfile.TarFile) -> None:
    for number in range(1_002):
        tar.addfile(tarfile.TarInfo(f"{number}"))


def _bomb(tar: tarfile.TarFile) -> None:
    entry = tarfile.TarInfo("card.md")
    entry.size = 200_000
    tar.addfile(entry, io.BytesIO(bytes(entry.size)))


@pytest.mark.parametrize("fill", [_link, _outside, _absolute, _device, _twice, _file_and_folder, _many, _bomb])
def test_an_archive_reaches_nothing_outside_its_folder_and_no_more_than_it_may(
    tmp_path: Path, fill: Callable[[tarfile.TarFile], None]
) -> None:
    with tarfile.open(tmp_path / "archive", "w:gz") as tar:
        fill(tar)
    into = tmp_path / "a" / "b"
    into.mkdir(parents=True)
    with pytest.raises(ReleaseError):
        unpack(tmp_path / "archive", into, 100_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "archive"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_a_folder_inside_an_archive_is_found_by_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(packed(write_release(tmp_path / "release"), "w:gz"))
    (tmp_path / "into").mkdir()
    assert (unpack(tmp_path / "archive", tmp_path / "into", 100_000) / MANIFEST).is_file()


async def test_a_second_upload_waits_for_nobody_and_one_that_halts_is_given_up(
    pages: HubPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intakes, "SILENCE_SECONDS", 0.05)
    intake = pages.parts.releases.intake
    again: list[str] = []

    async def halting() -> AsyncIterator[bytes]:
        yield b"x"
        with pytest.raises(ReleaseError) as refused:
            await intake.receive(halting(), 10)
        again.append(str(refused.value))
        await asyncio.Event().wait()

    with pytest.raises(ReleaseError, match="came to a halt"):
        await intake.receive(halting(), 10)
    assert again == ["another release is being added: try again when it is done"]

    async def short() -> AsyncIterator[bytes]:
        yield b"x"

    for size in (2, 0, 2**21):
        with pytest.raises(ReleaseError):
            await intake.receive(short(), size)


async def test_an_upload_leaves_the_hub_room_for_alarms(pages: HubPages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intakes, "RESERVE_BYTES", 2**62)

    async def whole() -> AsyncIterator[bytes]:
        yield b"x"

    full = Intake(pages.parts.releases.catalogue, 100)
    with pytest.raises(ReleaseError, match="no room for it"):
        await full.receive(whole(), 1)
