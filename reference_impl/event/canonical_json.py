"""The canonical event: RFC 8785 over its values as they are compared (numbers as doubles, null as absent), hashed."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

ALGORITHM = "SHA-256"

_text = msgspec.json.Encoder().encode
_sorted = msgspec.json.Encoder(order="sorted").encode
#: A number that msgspec may write otherwise than RFC 8785, as a member or as an item (or what looks like one, inside of
#: text): fractions, exponents, integers that a double may not hold. Two patterns are three times as fast as one.
_MEMBER = re.compile(rb'":-?[0-9]+(?:[.eE]|(?<=[0-9]{16}))')
_ITEM = re.compile(rb"[,\[]-?[0-9]+(?:[.eE]|(?<=[0-9]{16}))")
#: Bytes in which one call looks for them, so that other threads run in between; of the next ones so many as decide
#: about a number that begins here.
STRIDE, BEYOND = 32_768, 64
_EXPONENT = re.compile(r"e([+-])0*([0-9]+)$")


def sha256(members: dict[str, Any]) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(encode(members)).hexdigest()


def encode(value: Any) -> bytes:
    """RFC 8785 (JSON Canonicalization Scheme), with null members of objects left out."""
    quick = _sorted(value)
    if quick.isascii() and b"null" not in quick and not _may_differ(quick):
        return quick
    return _canonical(value).encode()


def _may_differ(quick: bytes) -> bool:
    """Whether it holds a number that RFC 8785 may write otherwise."""
    for at in range(0, len(quick), STRIDE):
        end = at + STRIDE + BEYOND
        if _MEMBER.search(quick, at, end) or _ITEM.search(quick, at, end):
            return True
    return False


def _canonical(value: Any) -> str:
    if isinstance(value, str):
        return _text(value).decode()
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(k).decode()}:{_canonical(value[k])}" for k in _names(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return number(value)


def _names(members: dict[str, Any]) -> list[str]:
    """The names of what is present, in the order of their UTF-16 code units."""
    names = [name for name, member in members.items() if member is not None]
    if all(map(str.isascii, names)):
        return sorted(names)
    return sorted(names, key=lambda name: name.encode("utf-16-be"))


def number(value: int | float) -> str:
    """A double as ECMAScript prints it: shortest digits, plain from 1e-6 up to below 1e21, no negative zero."""
    if isinstance(value, int) and -(2**53) <= value <= 2**53:
        return str(value)
    double = float(value)
    if double == 0:
        return "0"
    if 1e-6 <= abs(double) < 1e21:
        return _plain(double)
    return _EXPONENT.sub(r"e\1\2", repr(double)).replace(".0e", "e")


def _plain(double: float) -> str:
    """repr's shortest digits, without an exponent."""
    digits, _, exponent = repr(double).partition("e")
    if exponent:
        sign = "-" if double < 0 else ""
        whole, _, fraction = digits.lstrip("-").partition(".")
        mantissa = whole + ("" if fraction == "0" else fraction)
        point = len(whole) + int(exponent)
        if point <= 0:
            return f"{sign}0.{'0' * -point}{mantissa}"
        return (
            sign + mantissa.ljust(point, "0")
            if point >= len(mantissa)
            else f"{sign}{mantissa[:point]}.{mantissa[point:]}"
        )
    return digits.removesuffix(".0")
