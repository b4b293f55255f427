"""Derive hostile events: a drawn one with one member replaced by a value that is known to break processors."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from itertools import chain, islice, zip_longest
from typing import Any

from shaketable.event import pointer

#: Lengths of a text without a maximum, in characters: around the usual limits of columns and of messages.
LENGTHS = (255, 256, 8_000, 65_535)
#: Usual maxima of a text: the schema's own is often one of them.
MAXIMA = (20, 32, 40, 50, 64, 100, 128, 200, 255, 500, 1_000, 2_000)
#: Numbers of items around the largest count that one byte holds.
ITEMS = (255, 256, 300)
#: Levels of nesting in a value of any type.
DEPTH = 20
#: The most characters of an event that grows: an intake has limits that its schema does not tell.
MOST = 200_000

#: Numbers with what is special about each; integers stay within 64 bits, all within a double.
NUMBERS: tuple[tuple[str, int | Decimal], ...] = (
    ("beyond 2^53", 2**53 + 1),
    ("beyond -2^53", -(2**53) - 1),
    ("2^63 - 1", 2**63 - 1),
    ("2^31", 2**31),
    ("0", 0),
    ("-1", -1),
    ("-0", Decimal("-0.0")),
    ("many decimals", Decimal("0.1234567890123456789012345")),
    ("many digits", Decimal("12345678901234567.89")),
    ("cents beyond 2^53", Decimal("90071992547409.93")),
    ("trailing zero", Decimal("1.10")),
    ("cents", Decimal("0.07")),
    ("a large exponent", Decimal("1E+2")),
    ("a small exponent", Decimal("1E-7")),
    ("the largest double", Decimal("1.7976931348623157E+308")),
    ("the smallest double", Decimal("5E-324")),
)
#: Texts with what is special about each.
TEXTS: tuple[tuple[str, str], ...] = (
    ("empty", ""),
    ("NFC", "Zo\u00e9 \u00c5"),
    ("NFD", "Zoe\u0301 A\u030a"),
    ("right to left", "\u202e\u05e9\u05dc\u05d5\u05dd\u202c \u0645\u0631\u062d\u0628\u0627"),
    ("beyond the BMP", "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001d504"),
    ("zero width", "\ufeffa\u200bb"),
    ("line ends", "a\r\nb\u2028c\td"),
    ("markup", "<script>alert(1)</script>{{7*7}}${jndi:ldap://x}"),
    ("SQL", "'; DROP TABLE orders; --"),
    ("backslashes", "\\u0000 \\N \\"),
    ("spaces", "  a  "),
    ("upper and lower case", "iI\u0130\u0131\u00df\u1e9eSs"),
    ("a number", "0010.10"),
    ("null", "null"),
)
#: Names of members that an object does not declare.
NAMES = ("__proto__", "a.b", "$where", "", "e\u0301", "id", "n" * 255)

Hostile = tuple[str, Any]


def derived(
    bodies: Sequence[Any], allowed: Callable[[Any], bool], count: int, rng: random.Random
) -> Iterator[tuple[str, Any]]:
    """At most `count` events with the reason of each: one for each reason, then a second one, and so on.

    The first one of a reason changes the member that most events have: one that the schema declares, if it may.
    """
    found: dict[str, list[Any]] = {}
    for body, path, value in _places(bodies, rng):
        fits = partial(_allowed, body, path, allowed)
        for why, new in (*_replacements(value), *_at_the_limit(value, fits)):
            if allowed(changed := pointer.replaced(body, path, new)):
                found.setdefault(why, []).append(changed)
    rounds = zip_longest(*([(why, each) for each in events] for why, events in found.items()))
    yield from islice(filter(None, chain.from_iterable(rounds)), count)


def _places(bodies: Sequence[Any], rng: random.Random) -> list[tuple[Any, pointer.Path, Any]]:
    """Every place of a member once (whatever its index in an array) for each JSON type, in the smallest event.

    Those that most events have come first.
    """
    first: dict[Hashable, tuple[Any, pointer.Path, Any]] = {}
    frequency: Counter[Hashable] = Counter()
    for body in sorted(bodies, key=lambda each: len(repr(each))):
        own: set[Hashable] = set()
        for path, value in (((), body), *pointer.members(body)):
            place = (type(value), *("*" if isinstance(step, int) else step for step in path))
            first.setdefault(place, (body, path, value))
            own.add(place)
        frequency.update(own)
    places = list(first)
    rng.shuffle(places)
    places.sort(key=lambda place: -frequency[place])
    return [first[place] for place in places]


def _replacements(value: Any) -> Iterator[Hostile]:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield from NUMBERS
    elif isinstance(value, str):
        yield from TEXTS
        yield from _longest()
    elif isinstance(value, list):
        yield "no items", []
        yield from ((f"{many} items", [value[i % len(value)] for i in range(many)]) for many in ITEMS if _fits(value))
    elif isinstance(value, dict):
        yield "an empty object", {}
        yield from (("an undeclared member", {**value, name: "x"}) for name in NAMES if name not in value)
        yield "a deep undeclared member", {**value, "deep": nested()}
    if value is not None:
        yield "null", None
    yield "deep nesting", nested()


def _longest() -> Iterator[Hostile]:
    for length in MAXIMA:
        yield f"{length} characters beyond the BMP", "\U0001d504" * length
    for length in LENGTHS:
        yield f"{length} characters of three bytes", "\u4e2d" * (length if length < MOST // 6 else length // 3)


def _at_the_limit(value: Any, fits: Callable[[str], bool]) -> Iterator[Hostile]:
    """The longest text that the schema allows, where it has a limit."""
    if isinstance(value, str) and (most := longest(fits)) is not None:
        yield "the longest text", "\u4e2d" * most
        yield "the longest text beyond the BMP", "\U0001d504" * most


def longest(fits: Callable[[str], bool]) -> int | None:
    """The most characters of a text that fits, by bisection; None if there is no limit, or no text of any length fits.

    A schema limits lengths from one side at a time, so the usual lengths show where the limit is.
    """
    lengths: list[int] = sorted({*range(1, min(MAXIMA)), *MAXIMA, *LENGTHS})
    fitting = [length for length in lengths if fits("\u4e2d" * length)]
    if not fitting or fitting[-1] == lengths[-1]:
        return None
    low, high = fitting[-1], next(length for length in lengths if length > fitting[-1])
    while high - low > 1:
        middle = (low + high) // 2
        if fits("\u4e2d" * middle):
            low = middle
        else:
            high = middle
    return low


def _allowed(body: Any, path: pointer.Path, allowed: Callable[[Any], bool], text: str) -> bool:
    return allowed(pointer.replaced(body, path, text))


def _fits(items: list[Any]) -> bool:
    return bool(items) and len(repr(items)) / len(items) * max(ITEMS) < MOST


def nested(depth: int = DEPTH) -> Any:
    """A value in arrays and objects, one in another."""
    value: Any = {}
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value
