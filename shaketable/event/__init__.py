"""What an event is: the audit event of contract 1, or one that a manifest describes in [event].

`audit` parses and compares audit events. `table` is the manifest's [event].
"""

from __future__ import annotations

from shaketable.event.audit import (
    CLASSIFICATIONS,
    EARLIEST,
    MEMBERS,
    REQUIRED,
    STATUSES,
    TEXT_LIMITS,
    canonical,
    digest,
    instant,
    parse,
    same,
)

__all__ = [
    "CLASSIFICATIONS",
    "EARLIEST",
    "MEMBERS",
    "REQUIRED",
    "STATUSES",
    "TEXT_LIMITS",
    "canonical",
    "digest",
    "instant",
    "parse",
    "same",
]
