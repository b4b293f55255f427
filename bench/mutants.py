"""Bodies for the fuzzer: valid events, hostile and malformed ones, and mutants of all three; one seed, one sequence."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator

from shaketable.load.mix import Mix
from shaketable.load.mix.corpus import corpus

#: What readers of JSON are known to stumble over, put anywhere.
TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"\\",
    b" ",
    b"\t",
    b"\r",
    b"\x00",
    b"\x7f",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\\u003a",
    b"null",
    b"true",
    b"NaN",
    b"Infinity",
    b"-0",
    b"-0.0",
    b"1e400",
    b"-1e-400",
    b"1E+2",
    b"01",
    b"9007199254740993",
    b"1" * 309,
    b"0." + b"1" * 400,
    b"[" * 40,
    b"[" * 5000,
    b'{"a":' * 40,
    b"x" * 70_000,
    b'"a":1,"a":2,',
    b'"details":{"eventId":7},',
    b'"ttl":1e3,',
    b'"eventId":null,',
    b'"timestamp":"2000-01-01T00:00:00+00:00",',
    b'"__proto__":{},',
    b'"principalId":null,',
    b"/**/",
    b"\xf0\x9f\x91\xa8",
)
Mutate = Callable[[bytes, random.Random], bytes]


def bodies(count: int, seed: int) -> Iterator[bytes]:
    """So many bodies; about half are valid events. None holds a line feed, so that each may be a line of a batch."""
    dice = random.Random(seed)
    shapes = corpus(Mix(shapes=300), seed % 1000)
    for _ in range(count):
        body = dice.choice(shapes).wire(str(uuid.UUID(int=dice.getrandbits(128))), f"org-{dice.randrange(50)}")
        for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 5))):
            body = dice.choice(MUTATIONS)(body, dice)
        yield body.replace(b"\n", b"\r")


def _span(body: bytes, dice: random.Random) -> tuple[int, int]:
    start = dice.randrange(len(body) + 1)
    return start, min(len(body), start + int(dice.expovariate(0.1)))


def _insert(body: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(body) + 1)
    return body[:at] + dice.choice(TOKENS) + body[at:]


def _first_member(body: bytes, dice: random.Random) -> bytes:
    """A token right after the first brace, where whole members fit."""
    return body.replace(b"{", b"{" + dice.choice(TOKENS), 1)


def _replace(body: bytes, dice: random.Random) -> bytes:
    start, end = _span(body, dice)
    return body[:start] + dice.choice(TOKENS) + body[end:]


def _value(body: bytes, dice: random.Random) -> bytes:
    """A token for the value of a member."""
    parts = body.split(b":")
    at = dice.randrange(len(parts))
    _, comma, rest = parts[at].partition(b",")
    parts[at] = dice.choice(TOKENS) + comma + rest
    return b":".join(parts)


def _delete(body: bytes, dice: random.Random) -> bytes:
    start, end = _span(body, dice)
    return body[:start] + body[end:]


def _double(body: bytes, dice: random.Random) -> bytes:
    start, end = _span(body, dice)
    return body[:end] + body[start:]


def _flip(body: bytes, dice: random.Random) -> bytes:
    if not body:
        return body
    at = dice.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << dice.randrange(8)]) + body[at + 1 :]


def _cut(body: bytes, dice: random.Random) -> bytes:
    return body[: dice.randrange(len(body) + 1)]


MUTATIONS: tuple[Mutate, ...] = (_insert, _first_member, _replace, _value, _delete, _double, _flip, _cut)
