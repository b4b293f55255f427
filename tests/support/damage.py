"""Damage: one file of a run directory changed, each kind a function of the file and a random generator."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

#: What takes the place of a member of a document or line; as JSON, so that it may be none.
VALUES = (
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[[]]",
    b'""',
    b'"x"',
    b"0",
    b"-1",
    b"1.5",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"4611686018427387904",
    b"1" + b"0" * 40,
    b"1" + b"0" * 5_000,
    b"1e400",
    b"-1e308",
    b"NaN",
    b"Infinity",
    b'"\\ud800"',
    b'"\xed\xa0\x80"',
    b'"\\u0000"',
    b'"' + b"w" * 100_000 + b'"',
    b'{"kind":"down"}',
    b'[{"at_s":1e300,"until_s":-1e300}]',
    b"[" * 100_000 + b"]" * 100_000,
    b'"../../../etc"',
)
#: Longer than any file that is read, and empty.
SPARSE = 10 << 30


def truncate(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: draw.randrange(max(1, path.stat().st_size))])


def empty(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"")


def other_type(path: Path, draw: random.Random) -> None:
    path.write_bytes(draw.choice(VALUES) + b"\n")


def binary(path: Path, draw: random.Random) -> None:
    path.write_bytes(draw.randbytes(draw.choice((1, 1_000, 1 << 20))) + b"\n")


def deep(path: Path, draw: random.Random) -> None:
    opened, closed = draw.choice(((b"[", b"]"), (b'{"a":', b"}")))
    depth = draw.choice((2_000, 1_000_000))
    path.write_bytes(opened * depth + b"1" + closed * depth + b"\n")


def wide(path: Path, draw: random.Random) -> None:
    path.write_bytes(b"[" + b"[]," * 2_500_000 + b"[]]\n")


def one_long_line(path: Path, draw: random.Random) -> None:
    path.write_bytes(b'{"a":"' + b"w" * (40 << 20) + b'"}\n')


def many_lines(path: Path, draw: random.Random) -> None:
    path.write_bytes(draw.choice((b"{}\n", b"\n", b"0\n")) * 1_000_000)


def pipe(path: Path, draw: random.Random) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.mkdir()


def sparse(path: Path, draw: random.Random) -> None:
    with path.open("ab") as out:
        out.truncate(draw.choice((SPARSE, 1 << 30)))


def link_to_zero(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def link_to_nothing(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def link_to_itself(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.symlink_to(path.name)


def missing(path: Path, draw: random.Random) -> None:
    path.unlink()


def doubled_lines(path: Path, draw: random.Random) -> None:
    path.write_bytes(path.read_bytes() * 2)


def shuffled_lines(path: Path, draw: random.Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    draw.shuffle(lines)
    path.write_bytes(b"".join(lines))


def member_missing(path: Path, draw: random.Random) -> None:
    _rewrite(path, draw, lambda holder, key: holder.pop(key))


def member_replaced(path: Path, draw: random.Random) -> None:
    value = msgspec.Raw(draw.choice(VALUES))

    def change(holder: Any, key: Any) -> None:
        holder[key] = value

    _rewrite(path, draw, change)


def member_replaced_everywhere(path: Path, draw: random.Random) -> None:
    """In every line that has it, as a writer with a fault of its own would."""
    value = msgspec.Raw(draw.choice(VALUES))
    try:
        rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    except msgspec.DecodeError:
        return member_replaced(path, draw)
    places: list[tuple[Any, ...]] = [(key,) for row in rows if isinstance(row, dict) for key in row]
    inner = [
        (key, each)
        for row in rows
        if isinstance(row, dict)
        for key in row
        if isinstance(row[key], dict)
        for each in row[key]
    ]
    *above, last = draw.choice(places + inner or [("x",)])
    for row in rows:
        holder = row.get(above[0]) if above and isinstance(row, dict) else row
        if isinstance(holder, dict) and last in holder:
            holder[last] = value
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))
    return None


KINDS: tuple[Callable[[Path, random.Random], None], ...] = (
    truncate,
    empty,
    other_type,
    binary,
    deep,
    wide,
    one_long_line,
    many_lines,
    pipe,
    folder,
    sparse,
    link_to_zero,
    link_to_nothing,
    link_to_itself,
    missing,
    doubled_lines,
    shuffled_lines,
    member_missing,
    *[member_replaced] * 6,
    *[member_replaced_everywhere] * 6,
)


def _rewrite(path: Path, draw: random.Random, change: Callable[[Any, Any], Any]) -> None:
    """Change one member, somewhere: of the document, or of one line."""
    content = path.read_bytes()
    try:
        lines, at = [msgspec.json.decode(content)], 0
    except msgspec.DecodeError:
        try:
            lines = [msgspec.json.decode(line) for line in content.splitlines()]
        except msgspec.DecodeError:
            return
        at = draw.randrange(len(lines)) if lines else 0
    if places := list(_places(lines[at])) if lines else []:
        change(*draw.choice(places))
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every member of a document: its holder, and its key there."""
    if isinstance(value, dict):
        return [(value, key) for key in value] + [place for each in value.values() for place in _places(each)]
    if isinstance(value, list):
        return [(value, at) for at in range(len(value))] + [place for each in value for place in _places(each)]
    return []
