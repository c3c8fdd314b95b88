"""Who may do what, who may see whom, and the trace of it all."""

from forge_hub.access.accounts import (
    COMMAND_LINE,
    PASSWORD_MAX_LENGTH,
    PASSWORD_MIN_LENGTH,
    PASSWORD_ROLES,
    ROLES,
    SETUP_LINK_VALID_FOR,
    PasswordRefusedError,
    Role,
    SignedIn,
    check_password,
    check_username,
    count_accounts,
    create_setup_link,
    first_run_link,
    make_device,
    normalise_username,
    tokens_match,
)
from forge_hub.access.assignments import Assignments, NotAssignedError, StatementError
from forge_hub.access.closing import OwnAccountError, close_account, is_closed, reset_second_factor_of
from forge_hub.access.limits import TooManyAttemptsError
from forge_hub.access.second_factor import SecretKey
from forge_hub.access.sessions import SESSION_VALID_FOR, Access, CodeAwaited, NewSession, reset_second_factor

__all__ = [
    "COMMAND_LINE",
    "PASSWORD_MAX_LENGTH",
    "PASSWORD_MIN_LENGTH",
    "PASSWORD_ROLES",
    "ROLES",
    "SESSION_VALID_FOR",
    "SETUP_LINK_VALID_FOR",
    "Access",
    "Assignments",
    "CodeAwaited",
    "NewSession",
    "NotAssignedError",
    "OwnAccountError",
    "PasswordRefusedError",
    "Role",
    "SecretKey",
    "SignedIn",
    "StatementError",
    "TooManyAttemptsError",
    "check_password",
    "check_username",
    "close_account",
    "count_accounts",
    "create_setup_link",
    "first_run_link",
    "is_closed",
    "make_device",
    "normalise_username",
    "reset_second_factor",
    "reset_second_factor_of",
    "tokens_match",
]
