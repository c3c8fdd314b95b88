"""The errors of backups. They hang below `forge_hub.errors.HubError`."""

from forge_hub.errors import HubError


class BackupError(HubError):
    """A backup cannot be made, opened or restored; nothing was changed."""

    code = "backup.failed"
