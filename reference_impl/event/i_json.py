"""I-JSON (RFC 7493) in, canonical JSON (RFC 8785) out.

`members` accepts only JSON that jsonb and doubles can hold, and names the member at fault. `canonical` and `sha256`
compare values: numbers are doubles, and a null member equals an absent one.
"""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import rfc8785

from reference_impl.errors import RefusedError

ALGORITHM = "SHA-256"
#: Longest JSON that one call decodes or searches, in bytes. Such a call blocks every other thread: 250 KB of long
#: numbers take 90 ms.
PIECE_BYTES = 8192
#: Largest integer that a double holds exactly.
SAFE = 2**53

_decode = msgspec.json.Decoder().decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode

#: Where msgspec's sorted JSON may differ from RFC 8785: a number with an exponent, a fraction that begins with 0, or at
#: least 16 digits, as a member or as an item (two patterns are three times as fast as one); and characters beyond
#: U+FFFF, since msgspec sorts names by UTF-8 instead of UTF-16.
_NUMBER = rb"-?[0-9]+(?:\.0|(?:\.[0-9]+)?[eE]|(?<=[0-9]{16}))"
_MEMBER, _ITEM, _BEYOND = re.compile(rb'":' + _NUMBER), re.compile(rb"[,\[]" + _NUMBER), re.compile(rb"[\xf0-\xf4]")
#: Maps all digits to one, so that a long run of digits is found in linear time. The first integer that no double holds
#: has 309.
_DIGITS, _MANY_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10), b"0" * 309
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def members(body: bytes, max_depth: int) -> dict[str, Any]:
    """The members of the JSON object `body`. Raises RefusedError for JSON that cannot be stored exactly."""
    value: Any = None
    try:
        value = _decode(body) if len(body) <= PIECE_BYTES else decode(body.lstrip(b" \t\r\n"))
        if body.count(b"[") + body.count(b"{") > max_depth and _depth(value) > max_depth:
            raise RecursionError
    except RecursionError:
        raise RefusedError("event", f"expected at most {max_depth} objects and arrays within each other") from None
    except UnicodeDecodeError:
        raise RefusedError("event", "expected UTF-8", 400) from None
    except msgspec.MsgspecError:
        pass  # the fault is found below
    if not isinstance(value, dict):
        _refuse(body)
        raise RefusedError("event", "expected one JSON object", 400)
    if _is_suspect(body, value):
        _refuse(body)
    return value


def decode(body: bytes | msgspec.Raw) -> Any:
    """Decode JSON; large objects and arrays piece by piece, so that other threads run in between."""
    if len(piece := memoryview(body)) > PIECE_BYTES:
        if piece[0] == 0x7B:
            return {name: decode(member) for name, member in _decode_members(piece).items()}
        if piece[0] == 0x5B:
            return [decode(item) for item in _decode_items(piece)]
    return _decode(piece)


def encoded(members: Mapping[str, object]) -> bytes:
    """The wire form of these members. A NaN stays one, so that `members` refuses it."""
    return json.dumps(msgspec.to_builtins(members, str_keys=True)).encode()


def sha256(members: dict[str, Any]) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(members)).hexdigest()


def canonical(value: Any) -> bytes:
    """RFC 8785 (JSON Canonicalization Scheme), with null members of objects left out."""
    if b"null" in (quick := _encode_sorted(value)):
        quick = _encode_sorted(value := _as_compared(value))
    return rfc8785.dumps(_as_compared(value)) if _may_differ(quick) else quick  # which takes a tenth of the time


def _may_differ(quick: bytes) -> bool:
    """Whether msgspec's sorted JSON may not be the canonical form; of most events it is."""
    if len(quick) > PIECE_BYTES or _MEMBER.search(quick) or _ITEM.search(quick):
        return True
    return not quick.isascii() and _BEYOND.search(quick) is not None


def _as_compared(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_compared(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_as_compared(item) for item in value]
    return float(value) if isinstance(value, int) and abs(value) >= SAFE else value


def _is_suspect(body: bytes, value: dict[str, Any]) -> bool:
    r"""Whether JSON that was decoded may still repeat a name, or hold NUL or an integer that no double holds.

    The last member of a repeated name was decoded, so the colons of the others are missing from `value`. A colon
    inside of text may be written \\u003a.
    """
    return (
        body.count(b":") != msgspec.json.encode(value).count(b":")
        or b"\\u003" in body
        or b"\\u0000" in body
        or _MANY_DIGITS in body.translate(_DIGITS)
    )


def _refuse(body: bytes) -> None:
    """Raise RefusedError if a parser that accepts more, and so can name the member, finds a fault."""
    repeated: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(found := dict(pairs)) < len(pairs):
            repeated.append(Counter(name for name, _ in pairs).most_common(1)[0][0])
        return found

    decoder = json.JSONDecoder(object_pairs_hook=unique, parse_float=_number, parse_int=_number)
    try:
        value = decoder.decode(body.decode())
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        _refuse_not_storable(value)
        if repeated:
            raise RefusedError(_shown(repeated[0]), "expected each name once in an object")


def _number(text: str) -> float:
    """A Python function, so that other threads run between two numbers; json's own conversions never let them."""
    return float(text)


def _refuse_not_storable(members: dict[str, Any]) -> None:
    """Raise RefusedError for the first member with a string that jsonb, or a number that a double, cannot hold."""
    for item in members.items():
        for leaf in _leaves(item):
            if isinstance(leaf, str) and _NOT_STORABLE.search(leaf):
                raise RefusedError(_shown(item[0]), "expected text without NUL and lone surrogates")
            if isinstance(leaf, float) and not math.isfinite(leaf):
                raise RefusedError(_shown(item[0]), "expected numbers that a double can hold")


def _leaves(value: Any) -> Iterator[Any]:
    """Every name and scalar."""
    if isinstance(value, dict | list | tuple):
        for item in value.items() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode().replace("\0", "\\u0000")


def _depth(value: Any) -> int:
    """How many objects and arrays lie within each other."""
    if isinstance(value, dict | list):
        return 1 + max(map(_depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0
