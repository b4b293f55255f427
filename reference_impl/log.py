"""Logs: one JSON line each on stderr, about the machinery only. No line carries an event's content."""

import asyncio
import errno
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from typing import Any

import msgspec

#: Least seconds between two rate-limited warnings with the same message.
RATE_LIMIT_S = 60.0
#: Their warnings and errors quote messages of peers, and httpx the webhook's address.
QUIET = ("asyncio", "httpx", "psycopg", "uvicorn.error", "uvicorn.access")
_warned_at: dict[str, float] = {}  # by message

_logger = logging.getLogger("reference")


class _JsonFormatter(logging.Formatter):
    """Formats a record as one JSON line, without its exception: that may quote an event."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "process": self._process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return msgspec.json.encode(line).decode()


def configure(process: str) -> None:
    """Send every logger of this process to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter(process))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def info(message: str, **fields: object) -> None:
    """Log an event in the life of the process."""
    _logger.info(message, extra={"fields": fields})


def warning(message: str, **fields: object) -> None:
    """Log a failure that the processor handles."""
    _logger.warning(message, extra={"fields": fields})


def rate_limited_warning(message: str, **fields: object) -> None:
    """Log a warning at most once a minute."""
    now = time.monotonic()
    if now - _warned_at.get(message, -RATE_LIMIT_S) >= RATE_LIMIT_S:
        _warned_at[message] = now
        warning(message, **fields)


def unexpected(message: str, error: BaseException, **fields: object) -> None:
    """Log a defect: the class of the error and where it was raised, never its message."""
    where = "".join(f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__, -1))
    _logger.error(message, extra={"fields": {**fields, "exception": type(error).__name__, "where": where or "?"}})


def asyncio_exception_handler(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log exceptions that no task or callback handled. asyncio's own lines are off, because they quote messages."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        rate_limited_warning("no descriptor is left for a connection")
    elif error:
        unexpected("nobody heard what a task or callback ended by", error)
    else:
        _logger.error("the event loop met a defect")
