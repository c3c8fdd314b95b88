"""What an admin does with model releases, from a page or by the API: carried out and written into the audit."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from forge_hub.access import audit
from forge_hub.errors import ReleaseError
from forge_hub.releases.approval import read_approval
from forge_hub.web.site import Site
from forge_shared.releases import Manifest

T = TypeVar("T")


class ReleaseDesk:
    """Acts on the releases of one account. Blocks on the disk, but for `add`.

    Args:
        site: The hub.
        account: On whose behalf.
    """

    def __init__(self, site: Site, account: str) -> None:
        self._site = site
        self._account = account
        self._catalogue = site.parts.releases.catalogue

    async def add(self, chunks: AsyncIterator[bytes], size: int) -> Manifest:
        """Take an uploaded release and stage it.

        Raises:
            ReleaseError: It is refused; see `Intake.receive`.
        """
        try:
            manifest = await self._site.parts.releases.intake.receive(chunks, size)
        except ReleaseError as error:
            await asyncio.to_thread(self._note, "release.add", "upload", error)
            raise
        await asyncio.to_thread(self._note, "release.add", manifest.target)
        return manifest

    def sign(self, content: bytes) -> int:
        """Add the signature in an uploaded file to what waits; return how many are still missing.

        Raises:
            ReleaseError: It is none, of a key without a say, or over something else.
        """
        approval = self._tried("release.sign", "upload", lambda: read_approval(content))
        what = f"version-{approval.version}/{approval.keyid[:16]}"
        return self._done("release.sign", what, lambda: self._catalogue.attach(approval))

    def publish(self) -> None:
        """Publish what is approved.

        Raises:
            ReleaseError: Approvals are missing, or nothing waits.
        """

        def publish() -> None:
            if self._catalogue.images.staged_targets() is None:
                raise ReleaseError("nothing waits to be published")
            self._catalogue.publish()

        what = f"version-{self._catalogue.images.targets_version + 1}"
        self._done("release.publish", what, publish)

    def withdraw(self, target: str) -> None:
        """Stage the releases without one.

        Raises:
            ReleaseError: There is no such release.
        """
        self._done("release.withdraw", target, lambda: self._catalogue.withdraw(target))

    def take_back(self, target: str) -> None:
        """Undo what is staged for one release.

        Raises:
            ReleaseError: Nothing waits for it.
        """
        self._done("release.take-back", target, lambda: self._catalogue.take_back(target))

    def _done(self, action: str, what: str, act: Callable[[], T]) -> T:
        result = self._tried(action, what, act)
        self._note(action, what)
        return result

    def _tried(self, action: str, what: str, act: Callable[[], T]) -> T:
        try:
            return act()
        except ReleaseError as error:
            self._note(action, what, error)
            raise

    def _note(self, action: str, what: str, refused: ReleaseError | None = None) -> None:
        now = self._site.parts.clock.now()
        if refused is None:
            audit.note(self._site.parts.database, now, self._account, action, what)
        else:
            audit.note(
                self._site.parts.database, now, self._account, action, what, outcome="refused", reason=refused.code
            )
