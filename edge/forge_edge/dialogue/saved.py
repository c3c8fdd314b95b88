"""Where the dialogue stands, kept over a restart. A form in progress is clinical data, so it is sealed."""

import contextlib
from pathlib import Path

from pydantic import ValidationError

from forge_edge.dialogue.conversation import Conversation
from forge_shared.errors import SealError
from forge_shared.files import replace
from forge_shared.logs import get_logger
from forge_shared.sealing import Keyring, is_sealed

_CONTEXT = b"conversation"

log = get_logger()


class SavedConversation:
    """The saved conversation of one node. Used from one thread at a time; blocks on the disk.

    Args:
        path: The file; its folder exists.
        keyring: Seals it.
    """

    def __init__(self, path: Path, keyring: Keyring) -> None:
        self._path = path
        self._keyring = keyring

    def load(self) -> Conversation:
        """Return what was saved; a new conversation where nothing was or it cannot be read.

        A file from before there was a key is read and sealed.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return Conversation()
        try:
            if is_sealed(content):
                return Conversation.model_validate_json(self._keyring.unseal(content, _CONTEXT))
            conversation = Conversation.model_validate_json(content)
        except (ValidationError, SealError):
            log.warning("conversation.unreadable")
            return Conversation()
        with contextlib.suppress(OSError):  # it is sealed at the first change that can be saved
            self.save(conversation)
        return conversation

    def save(self, conversation: Conversation) -> None:
        """Replace what was saved.

        Raises:
            OSError: It could not be written; what was saved before is still there.
        """
        replace(self._path, self._keyring.seal(conversation.model_dump_json().encode(), _CONTEXT), mode=0o600)
