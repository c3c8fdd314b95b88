"""Where the dialogue stands, kept over a restart. A form in progress is clinical data, so it is sealed."""

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
        self._failing = False

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
        self.keep(conversation)
        return conversation

    def keep(self, conversation: Conversation) -> None:
        """Replace what was saved; where it cannot be written, say so once and go on: a call must still get out."""
        try:
            self.save(conversation)
        except OSError:
            if not self._failing:
                log.exception("conversation.not-saved")
            self._failing = True
        else:
            self._failing = False

    def save(self, conversation: Conversation) -> None:
        """Replace what was saved.

        Raises:
            OSError: It could not be written; what was saved before is still there.
        """
        replace(self._path, self._keyring.seal(conversation.model_dump_json().encode(), _CONTEXT), mode=0o600)
