"""The result of one attempt, whatever it was sent over."""

from __future__ import annotations

from typing import NamedTuple


class Reply(NamedTuple):
    """A response by its status, or the name of an error."""

    status: int | None
    error: str = ""  # a class name; "" with a status
    length: int = 0  # bytes of the response
    advised_s: float = 0.0  # Retry-After in seconds
    at: str = ""  # of a sender's error: its class, and the line that raised it
    fatal: str = ""  # why no further attempt makes sense
    content: bytes = b""
    accepted: tuple[int, ...] = ()  # statuses that mean accepted, at this path; (): those of ingest.accepted
