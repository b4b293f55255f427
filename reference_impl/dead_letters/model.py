"""A dead letter: an event that the store will not take, with everything needed to see why."""

from __future__ import annotations

import traceback
import uuid
from datetime import UTC, datetime
from pathlib import Path

import msgspec

#: Prefix of the cause of an event that a handler refused, rather than the store.
UNDER_HANDLER = "under a handler, "


class Attempt(msgspec.Struct, frozen=True):
    """One failed attempt to store an event. Times are UTC."""

    at: datetime
    failure: str
    sqlstate: str | None


class DeadLetter(msgspec.Struct, frozen=True):
    """An event on its way to the dead letters."""

    event_id: str
    event: bytes
    hash: str
    cause: str
    history: list[Attempt]  # oldest first
    error_class: str = ""
    stack: str = ""

    @property
    def key(self) -> uuid.UUID:
        """The event's id. An event without a valid id gets one derived from its bytes, so that it is stored once."""
        try:
            return uuid.UUID(self.event_id)
        except ValueError:
            return uuid.uuid5(uuid.NAMESPACE_OID, self.event.decode("utf-8", "replace"))


def now() -> datetime:
    """The time of an attempt."""
    return datetime.now(UTC)


def error_location(error: BaseException) -> tuple[str, str]:
    """The class of an error and its stack: files, lines, functions. Never its message, which may quote the event."""
    frames = traceback.extract_tb(error.__traceback__)
    stack = "\n".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return f"{type(error).__module__}.{type(error).__qualname__}", stack
