"""Numeric shapes: numbers that a double holds only roughly, or in other digits than they were sent.

A processor that keeps numbers as doubles loses digits of each, and one that keeps them in 64 bits, in 32 bits or as
text loses more. A target says with capabilities.numbers which of the two it promises.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import zip_longest

from shaketable.load.mix.shape import EVENT_ID, Expect, Shape

#: Integers at the bounds of a double's 53 bits, of 63 and of 64 bits, and beyond all of them.
INTEGERS = (
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551617",
    "12345678901234567890123456789",
    "1" + "0" * 99 + "1",
)
#: More digits than a double has.
DECIMALS = (
    "0.1000000000000000000001",
    "3.14159265358979323846264338327950288",
    "123456789012345678.125",
    "-0.30000000000000000000000000004",
    "1.0000000000000000000000000001",
    "99999999999999999.99",
)
#: With exponents, up to the bounds of a double; each has the digits of an exact number.
EXPONENTS = (
    "1E+3",
    "9007199254740993e0",
    "1.00000000000000000001e2",
    "1e23",
    "2.2250738585072011e-308",
    "1.7976931348623157e+308",
    "123456789012345678901e-20",
)


def shapes(today: date) -> Iterator[Shape]:
    """Events with an integer, a decimal and a number with an exponent each, until all have been used."""
    columns = zip_longest(INTEGERS, DECIMALS, EXPONENTS)
    for integer, decimal, exponent in columns:
        yield _of(today, integer, decimal or DECIMALS[0], exponent or EXPONENTS[1])


def _of(today: date, integer: str, decimal: str, exponent: str) -> Shape:
    text = (
        f'{{"eventId":"{EVENT_ID.decode()}","timestamp":"{today - timedelta(days=1)}T12:00:00Z","action":"numeric",'
        f'"status":"success","largeInteger":{integer},"longDecimal":{decimal},"withExponent":{exponent}}}'
    )
    return Shape(0, Expect.ACCEPT, f"numbers such as {integer[:24]}", text=text, numeric=True)
