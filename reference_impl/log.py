"""Logs: one JSON line each on stderr, about the machinery only. An event's content never gets here."""

from __future__ import annotations

import asyncio
import errno
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any

import msgspec

Scalar = str | int | float | bool | None

#: Least seconds between two warnings of `rate_limited_warning` that say the same.
SELDOM_S = 60.0
_told: dict[str, float] = {}  # when each was said last

_logger = logging.getLogger("reference")


class _JsonLine(logging.Formatter):
    """A record as one JSON line. Of an exception only its type: a message may quote what it choked on."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "process": self._process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
        return msgspec.json.encode(line).decode()


def configure(process: str) -> None:
    """Send every logger of this process to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLine(process))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # psycopg's warnings and uvicorn's and asyncio's errors quote messages of others, httpx the webhook's address
    for name in ("asyncio", "httpx", "psycopg", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def info(message: str, **fields: Scalar) -> None:
    """Something worth knowing happened."""
    _logger.info(message, extra={"fields": fields})


def warning(message: str, **fields: Scalar) -> None:
    """Something went wrong that the processor copes with."""
    _logger.warning(message, extra={"fields": fields})


def rate_limited_warning(message: str, **fields: Scalar) -> None:
    """A warning that comes at most once a minute, however often there is reason for it."""
    now = time.monotonic()
    if now - _told.get(message, -SELDOM_S) >= SELDOM_S:
        _told[message] = now
        warning(message, **fields)


def unexpected(message: str, error: BaseException, **fields: Scalar) -> None:
    """Something nobody foresaw: where it was raised, never what it said."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at else "?"
    _logger.error(message, extra={"fields": {**fields, "exception": type(error).__name__, "where": where}})


def asyncio_exception_handler(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The event loop's own handler of what nobody awaited or caught: said here, as asyncio's words are not let out."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        rate_limited_warning("no descriptor is left for a connection")
    elif error:
        unexpected("nobody heard what a task or callback ended by", error)
    else:
        _logger.error("the event loop met a defect")
