r"""JSON as its source text: an object or array is split into slices of the source, so that no digit is lost.

msgspec is tried first. It refuses a lone surrogate such as `"\ud800"`, which JSON allows (RFC 8259, 8.2), and the
standard library's parser accepts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

_any = msgspec.json.Decoder(msgspec.Raw)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])
_SPACE = re.compile(r"[ \t\n\r]*")
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
#: The errors of msgspec for a text that the standard library's parser may accept.
_REFUSED = (msgspec.MsgspecError, RecursionError)


def _refuse(text: str) -> None:
    raise ValueError(f"expected JSON, got {text}: JSON has no such number")


#: Numbers stay text here: none is too large or too long for the parser, and their values are not needed.
_lenient = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse)


def on_one_line(text: bytes) -> bytes:
    """Valid JSON without its line ends, which are white space there: within a string they are escaped."""
    return text.strip().translate(_LINE_ENDS)


def members(text: str) -> dict[str, str]:
    """The source of each member of an object. Raises ValueError, or RecursionError, for anything else."""
    try:
        return {name: bytes(written).decode() for name, written in _object.decode(text).items()}
    except _REFUSED:
        pass
    if not isinstance(_lenient.decode(text), dict):
        raise ValueError("expected a JSON object")
    return dict(_parts(text, named=True))


def at(text: str, path: Sequence[str]) -> str:
    """The source of the value at a path. Raises ValueError, LookupError or RecursionError if there is none."""
    _check(text)
    for step in path:
        text = _inside(text, step)
    return text


def unwrapped(kept: bytes) -> bytes:
    """The JSON that a run's file holds in a string, since msgspec cannot read it; any other JSON unchanged."""
    if not kept.startswith(b'"'):
        return kept
    try:
        inner = msgspec.json.decode(kept, type=str)
    except msgspec.MsgspecError:
        return kept
    try:
        _any.decode(inner)
    except _REFUSED:
        return inner.encode()
    return kept  # the target itself keeps a string


def _check(text: str) -> None:
    """Raises ValueError or RecursionError unless the text is JSON."""
    try:
        _any.decode(text)
    except _REFUSED:
        _lenient.decode(text)


def _inside(text: str, step: str) -> str:
    """A member of an object, or an element of an array by its number."""
    if not text.lstrip().startswith("["):
        return members(text)[step]
    if not (step.isascii() and step.isdecimal()):
        raise LookupError(step)
    return _elements(text)[int(step)]


def _elements(text: str) -> list[str]:
    """The source of each element of an array, which is valid JSON."""
    try:
        return [bytes(written).decode() for written in _array.decode(text)]
    except _REFUSED:
        return [written for _, written in _parts(text, named=False)]


def _parts(text: str, named: bool) -> Iterator[tuple[str, str]]:
    """Name and source of each member of an object, or of each element of an array; the text is valid JSON."""
    end = _spaces(text, 0) + 1
    while text[end := _spaces(text, end)] not in "]}":
        name: Any = ""
        if named:
            name, end = _lenient.raw_decode(text, end)
            end = _spaces(text, _spaces(text, end) + 1)  # a colon, perhaps with spaces around it
        begin = end
        _, end = _lenient.raw_decode(text, begin)
        yield name, text[begin:end]
        end = _spaces(text, end)
        end += text[end] == ","


def _spaces(text: str, begin: int) -> int:
    """The index after the white space that begins at an index."""
    found = _SPACE.match(text, begin)
    assert found is not None  # it may be empty
    return found.end()
