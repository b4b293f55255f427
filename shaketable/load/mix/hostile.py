"""Hostile shapes: valid under the contract, but with contents that are known to break processors."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from typing import Any

from hypothesis import strategies as st

from shaketable import event

#: Text that broke real systems: markup, templates, SQL, right-to-left overrides, combining marks, non-BMP characters.
NASTY = (
    "$$x$$",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "%s%n%d",
    "'; DROP TABLE audit_log; --",
    "\\",
    "\\u0000",
    "\\N",
    "\\.",
    "null",
    "NULL",
    "None",
    "true",
    "NaN",
    "-Infinity",
    "0x1F",
    "1e999",
    "=1+1",
    "../../etc/passwd",
    "a\tb",
    "a\r\nb",
    "\x01\x1f",
    "\x7f\x85",
    "\u202eevil\u202c",
    "\u2066\u2067\u2069",
    "\u200b",
    "\ufeff",
    "\u2028\u2029",
    "e\u0301",
    "\u00e9",
    "\u0130",
    "\u00df",
    "\u1e9e",
    "\ufb01",
    "\uff21",
    "\U0001d504",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0010fffd",
    "\ue000",
    "Z\u0351\u036b\u0343",
    "中文",
    "עברית",
    "{",
    '"',
    "'",
)
#: UTC offsets in minutes: mostly real ones, and the widest that RFC 3339 allows.
OFFSETS = (*[0] * 12, 60, 330, 345, -210, -300, -720, 840, -1439, 1439)
#: Months older than a processor's newest partitions: the contract's first, two with a leap day, the last of a year.
OLD_MONTHS = ((2000, 1), (2000, 2), (2015, 12), (2020, 2))
#: Numbers at the edges of a double and of I-JSON's integers.
EDGES = (
    0,
    -0.0,
    1,
    -1,
    2**53 - 1,
    -(2**53) + 1,
    2.0**53,
    1e16,
    1e300,
    1.7976931348623157e308,
    5e-324,
    0.1,
    1e-7,
    1 / 3,
)
#: Member names to which a target may give its own meaning.
TAKEN = event.MEMBERS | {"details", "hash", "hashAlgorithm", "processingLatency", "archivedAt", "id", "position"}

#: All code points but NUL, surrogates and, as I-JSON asks, non-characters.
ENDS = (0xFFFE, 0xFFFF)  # of each plane
_POINTS = st.characters(
    exclude_categories=["Cs"],
    exclude_characters=[
        "\x00",
        *map(chr, range(0xFDD0, 0xFDF0)),
        *(chr(p << 16 | e) for p in range(17) for e in ENDS),
    ],
)


@cache
def text(limit: int, least: int = 0) -> st.SearchStrategy[str]:
    """Text of at most `limit` characters: arbitrary, nasty, or as long as allowed."""
    anything = st.text(_POINTS, min_size=least, max_size=min(limit, 40))
    nasty = st.sampled_from([it for it in NASTY if least <= len(it) <= limit])
    longest = _POINTS.map(lambda point: point * limit)
    kinds = [anything] * 4 + [nasty] * 5 + [longest] + ([] if least else [st.just("")])
    return st.sampled_from(kinds).flatmap(lambda kind: kind)


@cache
def numbers() -> st.SearchStrategy[int | float]:
    """Doubles, and integers that every I-JSON parser preserves."""
    whole = st.integers(-(2**53) + 1, 2**53 - 1)
    return st.one_of(st.sampled_from(EDGES), whole, st.floats(allow_nan=False, allow_infinity=False))


@cache
def values() -> st.SearchStrategy[Any]:
    """Any I-JSON value, a few levels deep, sometimes a dozen."""
    leaf = st.one_of(st.none(), st.booleans(), numbers(), text(80))
    branch = st.lists(leaf, max_size=3) | st.dictionaries(text(20), leaf, max_size=3)
    tree = st.lists(branch, max_size=2) | st.dictionaries(text(20), branch, max_size=2)
    deep = st.builds(_nested, leaf, st.integers(6, 12))
    return st.one_of(leaf, leaf, branch, tree, deep)


def _nested(value: Any, depth: int) -> Any:
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


def timestamps(today: date) -> st.SearchStrategy[str]:
    """An RFC 3339 timestamp: mostly of the last 30 days, one in twenty of an older month; 0 to 9 digits of a second."""
    recent = [datetime.combine(today, time(), UTC) - timedelta(days=ago) for ago in range(1, 31)]
    old = [
        datetime(year, month, 1, tzinfo=UTC) + timedelta(days=day) for year, month in OLD_MONTHS for day in (0, 1, 27)
    ]
    days = st.sampled_from([*recent * 8, *old])
    moments = st.integers(0, 86_400_000_000 - 1).map(lambda it: timedelta(microseconds=it))
    return st.builds(
        lambda day, moment, *rest: written(day + moment, *rest),
        days,
        moments,
        st.sampled_from(OFFSETS),
        st.integers(0, 9),
        st.integers(0, 999),
    )


def written(at: datetime, offset_minutes: int, digits: int, nanoseconds: int) -> str:
    """Format `at` as RFC 3339 with `digits` fractional digits."""
    local = at.astimezone(timezone(timedelta(minutes=offset_minutes)))
    fraction = f"{local.microsecond:06d}{nanoseconds:03d}"[:digits]
    sign, (hours, minutes) = "-" if offset_minutes < 0 else "+", divmod(abs(offset_minutes), 60)
    zone = f"{sign}{hours:02d}:{minutes:02d}" if offset_minutes else "Z"
    return f"{local:%Y-%m-%dT%H:%M:%S}{'.' + fraction if fraction else ''}{zone}"


def bodies(today: date) -> st.SearchStrategy[dict[str, Any]]:
    """An event without its id: the required members, any of the others, and some that the contract does not name."""
    required = {
        "timestamp": timestamps(today),
        "action": text(event.TEXT_LIMITS["action"], least=1),
        "status": st.sampled_from(event.STATUSES),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        name: _optional(name, limit) for name, limit in event.TEXT_LIMITS.items() if name != "action"
    }
    optional["ttl"] = st.integers(0, 2**31) | st.none()
    optional["dataClassification"] = st.sampled_from(event.CLASSIFICATIONS)
    others = st.dictionaries(text(30, least=1).filter(lambda name: name not in TAKEN), values(), max_size=3)
    details = st.dictionaries(text(30).filter(lambda name: name not in TAKEN), values(), max_size=3)
    extra = st.sampled_from([others, details.map(lambda it: {"details": it}), st.just({}), st.just({})]).flatmap(
        lambda it: it
    )
    return st.builds(lambda body, more: body | more, st.fixed_dictionaries(required, optional=optional), extra)


def _optional(name: str, limit: int) -> st.SearchStrategy[str | None]:
    """Also empty texts and nulls, except for the organization, which determines the lane."""
    return text(limit, least=1) if name == "organizationId" else st.one_of(text(limit), text(limit, least=1), st.none())
