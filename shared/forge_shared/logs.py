"""Logs as events with fields: ``log.warning("outbox.delayed", pending=12, oldest_s=94.0)``.

JSON outside a terminal, columns inside one. What a person said, entered or is called never belongs in a log; as a last
line of defence the processors below withhold fields that would carry it, and print an exception's type and places but
not its message, because a library's message may quote its input.
"""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog

from forge_shared.errors import ForgeError

WITHHELD_FIELDS = frozenset({"audio", "data", "frame", "name", "payload", "phone", "quote", "samples", "text"})

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(program: str, *, level: str = "INFO") -> None:
    """Send structured logs, and those of libraries, to standard error.

    Args:
        program: Written into every line as ``program``.
        level: Lowest level shown, a name of the standard library's `logging`.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _withhold,
        _describe_exception,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries may quote what passes through them, so below a warning they stay silent.
    root.setLevel(logging.WARNING)
    logging.getLogger("forge").setLevel(level)
    structlog.contextvars.bind_contextvars(program=program)


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return the logger of Persona-Forge's own events."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("forge")
    return logger


def _withhold(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401 (structlog's signature)
    return {key: "withheld" if key in WITHHELD_FIELDS else value for key, value in event.items()}


def _describe_exception(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:  # noqa: ANN401 (structlog's signature)
    info = _exception_info(event.pop("exc_info", None))
    if info is None:
        return event
    kind, error, trace = info
    event["error"] = error.code if isinstance(error, ForgeError) else f"{kind.__module__}.{kind.__qualname__}"
    event["error_at"] = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace)][-5:]
    return event


def _exception_info(value: Any) -> ExceptionInfo | None:  # noqa: ANN401 (structlog allows a flag, an exception or a tuple)
    if isinstance(value, BaseException):
        return type(value), value, value.__traceback__
    current = value if isinstance(value, tuple) else sys.exc_info() if value else (None, None, None)
    kind, error, trace = current
    return None if kind is None or error is None else (kind, error, trace)
