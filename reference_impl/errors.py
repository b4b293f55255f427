"""Every error the reference raises on purpose: what was expected, the value that came, what to do."""

from __future__ import annotations

from enum import StrEnum


class ProcessorError(Exception):
    """Base of all of them."""


class SettingsError(ProcessorError):
    """A setting that cannot be used; the message names its variable."""


class NotAcknowledged(ProcessorError):
    """An event was not acknowledged; `status` is the HTTP status of the response."""

    status: int


class RefusedError(NotAcknowledged):
    """An event that will never be accepted; `field` is the member at fault, `status` the HTTP answer."""

    def __init__(self, field: str, why: str, status: int = 422) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.why, self.status = field, why, status


class TemporarilyUnavailable(NotAcknowledged):
    """The event was not accepted, and a later attempt may succeed: 503."""

    status = 503


class Indeterminate(NotAcknowledged):
    """The event was sent to the queue and no reply came: it may or may not be stored: 504."""

    status = 504


class BreakerOpenError(ProcessorError):
    """The breaker admits nothing now."""


class ArchiveError(ProcessorError):
    """The archive did not take a dead letter, which stays where it is."""


class ShuttingDown(ProcessorError):
    """The process was asked to stop during a wait."""


class Failure(StrEnum):
    """What a store's error means, decided in `sqlstate`."""

    DATA = "data"  # the event itself is at fault
    RETRY = "retry"  # a collision: the same again may succeed
    AWAY = "store away"  # the store cannot take anything now
    LANE_LOST = "lane lost"  # our own timers ended the session; nobody's fault
    UNKNOWN = "unknown"  # a code that is in no row of the table


class StoreError(ProcessorError):
    """The store did not take it. Carries the SQLSTATE, never the message: that may hold an event's content."""

    def __init__(self, failure: Failure, sqlstate: str | None, kind: str) -> None:
        super().__init__(f"{failure.value} ({sqlstate or kind})")
        self.failure, self.sqlstate, self.kind = failure, sqlstate, kind
