"""The errors of the reference. A message has the expected value, the actual value and the remedy."""

from enum import StrEnum


class ProcessorError(Exception):
    """Base of all errors."""


class SettingsError(ProcessorError):
    """A setting that cannot be used. The message names its variable."""


class NotAcknowledged(ProcessorError):
    """An event was not acknowledged; `status` is the HTTP status of the response."""

    status: int


class RefusedError(NotAcknowledged):
    """An event that will never be accepted. `field` is the member at fault."""

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
    """The breaker permits no call now."""


class ShuttingDown(ProcessorError):
    """The process was asked to stop during a wait."""


class Failure(StrEnum):
    """The meaning of a store's error, decided in `error_classes`."""

    DATA = "data"  # the event itself is at fault
    RETRY = "retry"  # a collision: a retry may succeed
    UNAVAILABLE = "store unavailable"
    LANE_LOST = "lane lost"  # one of our timers ended the session: no fault of the store
    UNKNOWN = "unknown"  # a code without a row in the table


class StoreError(ProcessorError):
    """The store failed or refused. Carries the SQLSTATE, never the message, which may quote an event."""

    def __init__(self, failure: Failure, sqlstate: str | None, kind: str) -> None:
        super().__init__(f"{failure.value} ({sqlstate or kind})")
        self.failure, self.sqlstate, self.kind = failure, sqlstate, kind
