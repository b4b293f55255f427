"""What an event is: the audit event of contract 1, or one that a manifest describes in [event].

`audit` parses and compares audit events, `own` a target's own; `kinds` has both behind one protocol. `table` is the
manifest's [event], `ids` the formats of ids, `pointer` finds members, `json_text` their source text, `difference` names
how two values differ.
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
