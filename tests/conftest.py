"""What every test needs."""

import sys
from collections.abc import Iterator

import pytest
import structlog

from forge_shared import logs


@pytest.fixture(autouse=True)
def _own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command line configures the log of its process for good; the tests after it look at theirs."""

    def to_standard_error(*_: object, **__: object) -> None:
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

    monkeypatch.setattr(logs, "configure", to_standard_error)
    yield
    structlog.reset_defaults()
