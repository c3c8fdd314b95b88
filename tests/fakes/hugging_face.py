"""A server that speaks as much of the Hugging Face Hub's interface as its client library uses to fetch a model.

``/api/models/OWNER/NAME[/revision/REVISION]`` tells what a repository holds at a commit; ``/OWNER/NAME/resolve/
COMMIT/PATH`` gives a file out, from any byte on. It can hang up in the middle, and counts what it gave out.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
LARGE_BYTES = 10_000
"""From here on a file lies in large-file storage and is known by its SHA-256."""
CHUNK = 8192


@dataclass
class Repository:
    """One repository at one commit.

    Attributes:
        files: Contents by path.
        licence: As its card says.
        lies: Contents that are given out instead, by path.
        refuses: The status that every question about it gets, and the library's name for the reason.
    """

    files: dict[str, bytes]
    licence: str | None = "mit"
    tags: Mapping[str, str] = field(default_factory=lambda: {"main": COMMIT, "v1": COMMIT})
    lies: dict[str, bytes] = field(default_factory=dict)
    refuses: tuple[int, str] | None = None


class HubWorld:
    """The server's repositories, and how it behaves.

    Attributes:
        repositories: By ``owner/name``.
        hang_up_after: Bytes of a file's content after which a connection ends; None: never.
        given: Bytes of files' contents that were given out.
        asked: Paths of the requests.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.hang_up_after: int | None = None
        self.given = 0
        self.asked: list[str] = []
        self.address = ""


@contextmanager
def hugging_face() -> Iterator[HubWorld]:
    """Run the server on a port of its own."""
    world = HubWorld()

    class Handler(_Handler):
        of = world

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    world.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: HubWorld
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.of.asked.append(path)
        about = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        found = about or file
        repository = self.of.repositories.get(found[1]) if found else None
        if found is None or repository is None:
            self._refuse(404, "RepoNotFound")
        elif repository.refuses is not None:
            self._refuse(*repository.refuses)
        elif (found[2] or "main") not in {*repository.tags, *repository.tags.values()}:
            self._refuse(404, "RevisionNotFound")
        elif about:
            self._send(json.dumps(_about(found[1], repository)).encode(), {"Content-Type": "application/json"})
        elif found[3] not in repository.files:
            self._refuse(404, "EntryNotFound")
        else:
            self._file(repository, found[3], with_body=with_body)

    def _file(self, repository: Repository, path: str, *, with_body: bool) -> None:
        content = repository.files[path]
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{_etag(content)}"', "Accept-Ranges": "bytes"}
        content = repository.lies.get(path, content)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if asked:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send_response(206 if asked else 200)
        for name, value in {**headers, "Content-Length": str(len(content) - start)}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self._give(content[start:])

    def _give(self, content: bytes) -> None:
        limit = self.of.hang_up_after
        for place in range(0, len(content), CHUNK):
            if limit is not None and place >= limit:
                self.close_connection = True
                self.wfile.flush()
                self.connection.close()
                return
            piece = content[place : place + CHUNK]
            self.wfile.write(piece)
            self.of.given += len(piece)

    def _send(self, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: int, reason: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", reason)
        self.send_header("X-Error-Message", "refused")
        self.send_header("Content-Length", "0")
        self.end_headers()


def _about(name: str, repository: Repository) -> dict[str, object]:
    card = {} if repository.licence is None else {"license": repository.licence}
    return {
        "id": name,
        "modelId": name,
        "sha": COMMIT,
        "private": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
        "cardData": card,
        "siblings": [_sibling(path, content) for path, content in repository.files.items()],
    }


def _sibling(path: str, content: bytes) -> dict[str, object]:
    said: dict[str, object] = {"rfilename": path, "size": len(content), "blobId": _blob(content)}
    if len(content) >= LARGE_BYTES:
        said["lfs"] = {"sha256": _etag(content), "size": len(content), "pointerSize": 134}
    return said


def _etag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if len(content) >= LARGE_BYTES else _blob(content)


def _blob(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
