"""The kind of a difference between a sent and a stored value, in words that never hold the values."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from decimal import Decimal
from typing import Any

#: A member that one side lacks.
ABSENT: Any = object()
#: Kinds of text that differs in one respect, the first that fits.
_TEXTS: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("another Unicode normalization", lambda sent, kept: _normal(sent) == _normal(kept)),
    ("letter case", lambda sent, kept: sent.casefold() == kept.casefold()),
    ("white space at an end", lambda sent, kept: sent.strip() == kept.strip()),
    ("cut short", lambda sent, kept: sent.startswith(kept)),
    ("longer", lambda sent, kept: kept.startswith(sent)),
)
#: Nanoseconds, and what an instant that differs by less than so many is called.
_INSTANTS = ((1_000_000, "less than a millisecond"), (1_000_000_000, "less than a second"))
_HOUR = 3_600_000_000_000


def of_values(sent: Any, kept: Any) -> str:
    """The kind of the difference; "" for one that has no name."""
    if "" in (sent, kept) and (sent in (None, ABSENT) or kept in (None, ABSENT)):
        return "empty text for null" if kept == "" else "null for empty text"
    if sent is ABSENT or kept is ABSENT or None in (sent, kept):
        return "added" if sent in (None, ABSENT) else "missing"
    if isinstance(sent, str) and isinstance(kept, str):
        return next((name for name, fits in _TEXTS if fits(sent, kept)), "")
    if _is_number(sent) and _is_number(kept):
        return _of_numbers(sent, kept)
    return "" if _noun(sent) == _noun(kept) else f"{_noun(kept)} for {_noun(sent)}"


def of_instants(sent_ns: int, kept_ns: int) -> str:
    """The kind of the difference between two instants, in nanoseconds."""
    apart = abs(sent_ns - kept_ns)
    if apart and apart % _HOUR == 0:
        return "whole hours"
    return next((name for most, name in _INSTANTS if apart < most), "another instant")


def _of_numbers(sent: Any, kept: Any) -> str:
    try:
        near = float(sent) == float(kept)
    except OverflowError:
        return ""
    return "digits beyond a double" if near else "a sign" if sent == -kept else ""


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _noun(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "a boolean"
    return "a number" if _is_number(value) else "an object" if isinstance(value, dict) else "an array"
