"""The library's journals: which writes no sync has covered, and the file as it was before them.

A journal is a sequence of records, in the order of the writes: a head as in `shim.c`, then the bytes that the write was
about to overwrite. COVERED says that a sync covered the records that begin below a position in the journal.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shaketable.errors import HarnessError

#: struct record in shim.c: magic, kind, at, length, size.
_HEAD = struct.Struct("=IIqqq")
_MAGIC, _WRITTEN, _CUT, _COVERED = 0x6B736964, 1, 2, 3
#: Bytes: a disk that loses power has written such pages or not, whole ones.
PAGE = 4096

#: Whether a page was written before the power went, by its number.
Survives = Callable[[int], bool]


@dataclass(frozen=True)
class Record:
    """One record: before a write at `at`, the file had `size` bytes, of which the write replaced `old`."""

    begin: int  # in the journal
    kind: int
    at: int
    size: int
    old: bytes


def read(path: Path) -> tuple[bytes, int]:
    """A journal from its first record on, and the position of that: covered records become a hole."""
    with path.open("rb") as file:
        try:
            start = os.lseek(file.fileno(), 0, os.SEEK_DATA)
        except OSError:
            return b"", 0  # a hole alone
        file.seek(start)
        found = file.read()
    records = found.lstrip(b"\0")
    return records, start + len(found) - len(records)


def cover(path: Path) -> None:
    """Add to a journal that all its records are covered; the server may be writing others."""
    with path.open("ab", buffering=0) as file:
        file.write(_HEAD.pack(_MAGIC, _COVERED, os.fstat(file.fileno()).st_size, 0, 0))


def uncovered(journal: bytes, first: int = 0) -> list[Record]:
    """The records of writes and cuts that no sync has covered. Raises HarnessError for a damaged journal.

    `journal` begins with the record at the position `first`. A last record that is not whole was being written when the
    server was killed: its write had not begun.
    """
    records = list(_parse(journal, first))
    covered = max((record.at for record in records if record.kind == _COVERED), default=0)
    return [record for record in records if record.kind != _COVERED and record.begin >= covered]


def _parse(journal: bytes, first: int) -> Iterator[Record]:
    begin = 0
    while begin + _HEAD.size <= len(journal):
        magic, kind, at, length, size = _HEAD.unpack_from(journal, begin)
        if magic != _MAGIC or kind not in (_WRITTEN, _CUT, _COVERED) or length < 0:
            raise HarnessError("a journal of the disk library is damaged, so no power loss can be simulated")
        end = begin + _HEAD.size + length
        if end <= len(journal):
            yield Record(first + begin, kind, at, size, journal[begin + _HEAD.size : end])
        begin = end


def restore(path: Path, records: list[Record], survives: Survives = lambda _: False) -> int:
    """Undo these writes in a file, the last one first; pages that `survives` names stay. Returns how many it undid.

    Bytes that the writes appended stay only up to the first page that does not survive.
    """
    with path.open("r+b") as file:
        now = os.fstat(file.fileno()).st_size
        size, limit, grown, undone = now, None, list[int](), 0
        for record in reversed(records):
            if record.kind == _CUT:
                limit = record.at if limit is None else min(limit, record.at)
                continue
            after, size = size, record.size if limit is None else min(record.size, limit)
            old = record.old if limit is None else record.old[: max(0, limit - record.at)]
            if _put_back(file.fileno(), record.at, old, survives):
                undone += 1
            elif after > size:
                grown.append(after)
        end = _end(size, now, survives)
        file.truncate(end)
    return undone + sum(after > end for after in grown)


def _put_back(fd: int, at: int, old: bytes, survives: Survives) -> bool:
    """Write the old bytes of the pages that do not survive; returns whether there was one."""
    some, position = False, at
    while position < at + len(old):
        end = min((position // PAGE + 1) * PAGE, at + len(old))
        if not survives(position // PAGE):
            os.pwrite(fd, old[position - at : end - at], position)
            some = True
        position = end
    return some


def _end(size: int, now: int, survives: Survives) -> int:
    """The size of a file that had `size` bytes at its last sync and has `now`."""
    position = size
    while position < now and survives(position // PAGE):
        position = min((position // PAGE + 1) * PAGE, now)
    return position


def torn(seed: int, name: str) -> Survives:
    """About half of the pages of a file survive, drawn by seed and name."""
    return lambda page: bool(hashlib.sha256(f"{seed} {name} {page}".encode()).digest()[0] & 1)
