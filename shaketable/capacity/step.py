"""One rate that was tried."""

from __future__ import annotations

import msgspec


class Step(msgspec.Struct, frozen=True):
    """The result of a load at one rate. Rates are in events a second, times in milliseconds; None is unknown."""

    rate: float  # as planned
    sustained: bool | None  # None: the load generator was too late to tell
    acknowledged_per_s: float | None = None
    stored_per_s: float | None = None
    intake_p99_ms: float | None = None  # from the intended time to the acknowledgement
    lateness_p99_ms: float | None = None  # of the load generator
    why: str = ""  # why it was not sustained, or not judged
    run: str = ""  # the run directory
