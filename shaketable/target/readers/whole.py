"""Numbers of events, as a target writes them."""

from __future__ import annotations

from typing import Any

#: A history holds numbers of 64 bits.
BEYOND = 2**63


def whole(value: Any) -> int:
    """The value as a whole number from 0. Raises ValueError for another one, such as one that has wrapped around."""
    try:
        found = int(value)
    except (TypeError, OverflowError) as e:
        raise ValueError(f"expected a number, got {type(value).__name__}") from e
    if not 0 <= found < BEYOND:
        raise ValueError(f"expected a number from 0, below 2^63, got one of {found.bit_length()} bits")
    return found
