"""The I-JSON domain: which JSON is taken at all. What jsonb or a double could not keep is refused here, by member."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from reference_impl.errors import RefusedError

_decode = msgspec.json.Decoder().decode
#: From here on an integer rounds to more than the largest double; it has 309 digits.
TOO_LARGE = 2**1024 - 2**970
_encode = msgspec.json.Encoder().encode
#: The digits all alike, so that many of them in a row are found in linear time.
_DIGITS, _MANY_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10), b"0" * 309
#: Largest JSON that is decoded by one call, in bytes: no other thread runs meanwhile, and of numbers with many digits
#: 250 KB take 90 ms.
PIECE_BYTES = 8192
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def members(body: bytes, max_depth: int) -> dict[str, Any]:
    """The members of the object in `body`. Raises RefusedError unless all of it can be kept."""
    if body.count(b"[") + body.count(b"{") > max_depth and _depth(body) > max_depth:
        raise RefusedError("event", f"expected at most {max_depth} objects and arrays within each other")
    try:
        value = _decode(body) if len(body) <= PIECE_BYTES else decode(body.lstrip(b" \t\r\n"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _why(body) from None
    if not isinstance(value, dict):
        raise RefusedError("event", "expected a JSON object", 400)
    _refuse_doubled_names(body, value)
    _refuse_what_cannot_be_kept(body, value)
    return value


def decode(body: bytes | msgspec.Raw) -> Any:
    """The value of some JSON, large objects and arrays piece by piece, so that other threads run in between."""
    if len(piece := memoryview(body)) > PIECE_BYTES:
        if piece[0] == 0x7B:
            return {name: decode(member) for name, member in _decode_members(piece).items()}
        if piece[0] == 0x5B:
            return [decode(item) for item in _decode_items(piece)]
    return _decode(piece)


def _refuse_doubled_names(body: bytes, value: dict[str, Any]) -> None:
    r"""A name that comes twice in an object (I-JSON, RFC 7493, 2.3): readers differ in which of the two they take.

    The last was read; the first's colon is then missing, unless one inside of text is written \\u003a.
    """
    if body.count(b":") != _encode(value).count(b":") or b"\\u003" in body:
        json.loads(body, object_pairs_hook=_unique, parse_float=_number, parse_int=_number)


def _number(text: str) -> float:
    """A function of Python's: between two calls of it other threads run, which json's own conversions never allow."""
    return float(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(name for name, _ in pairs)
    if len(counts) < len(pairs):
        raise RefusedError(_shown(counts.most_common(1)[0][0]), "expected each name once in an object")
    return dict(pairs)


def _refuse_what_cannot_be_kept(body: bytes, value: dict[str, Any]) -> None:
    """NUL and too large integers parse, and are seldom: looked for only where the bytes allow them."""
    if b"\\u0000" in body and (field := _find(value, lambda leaf: isinstance(leaf, str) and "\0" in leaf)) is not None:
        raise RefusedError(field, "expected text without NUL")
    if (
        _MANY_DIGITS in body.translate(_DIGITS)
        and (field := _find(value, lambda leaf: type(leaf) is int and abs(leaf) >= TOO_LARGE)) is not None
    ):
        raise RefusedError(field, "expected numbers that a double can hold")


def _why(body: bytes) -> RefusedError:
    """Why a body does not parse: asked of the more lenient parser, so that the member can be named."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant, parse_float=_number)
    except UnicodeDecodeError:
        return RefusedError("event", "expected UTF-8", 400)
    except (ValueError, RecursionError):
        return RefusedError("event", "expected one JSON object", 400)
    if not isinstance(value, dict):
        return RefusedError("event", "expected a JSON object", 400)
    if (field := _find(value, lambda leaf: isinstance(leaf, str) and _lone_surrogate(leaf))) is not None:
        return RefusedError(field, "expected text without lone surrogates")
    return _not_finite(value) or RefusedError("event", "expected one JSON object", 400)


def _not_finite(value: dict[str, Any]) -> RefusedError | None:
    field = _find(value, lambda leaf: isinstance(leaf, float) and not math.isfinite(leaf))
    return None if field is None else RefusedError(field, "expected numbers that a double can hold")


def encoded(members: Mapping[str, object]) -> bytes:
    """The wire form of these members. Raises RefusedError for a NaN or an infinity: msgspec makes a null of it."""
    body = msgspec.json.encode(members)
    if b"null" in body and (refused := _not_finite(msgspec.to_builtins(members, str_keys=True))):
        raise refused
    return body


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _lone_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _find(value: dict[str, Any], wrong: Callable[[Any], bool]) -> str | None:
    """The first top-level member that is or holds a wrong leaf; names count as leaves."""
    for name, member in value.items():
        if wrong(name) or any(map(wrong, _leaves(member))):
            return _shown(name)
    return None


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode().replace("\0", "\\u0000")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _leaves(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _depth(body: bytes) -> int:
    """How deep the brackets outside of strings go; a malformed body is somebody else's finding."""
    depth = deepest = 0
    in_text = escaped = False
    for c in body:
        if in_text:
            in_text, escaped = escaped or c != 0x22, not escaped and c == 0x5C
        elif c == 0x22:
            in_text = True
        elif c in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif c in b"]}":
            depth -= 1
    return deepest
