"""Every error the reference raises on purpose: what was expected, the value that came, what to do."""

from __future__ import annotations

from enum import StrEnum


class ProcessorError(Exception):
    """Base of all of them."""


class SettingsError(ProcessorError):
    """A setting that cannot be used; the message names its variable."""


class RefusedError(ProcessorError):
    """An event that will never be accepted; `field` is the member at fault, `status` the HTTP answer."""

    def __init__(self, field: str, why: str, status: int = 422) -> None:
        super().__init__(f"{field}: {why}")
        self.field, self.why, self.status = field, why, status


class NotNowError(ProcessorError):
    """Certainly not accepted, and worth another try: 503."""


class UnknownError(ProcessorError):
    """Sent to the queue, and no answer: it may or may not be there: 504."""


class BreakerOpenError(ProcessorError):
    """The breaker admits nothing now."""


class ArchiveError(ProcessorError):
    """The archive did not take a dead letter, which stays where it is."""


class StoppingError(ProcessorError):
    """The worker was asked to stop while it waited."""


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
