"""Read JSON lines into columns, a block at a time, so that a million events are never all Python objects at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shaketable import rundir
from shaketable.files import foreign

#: The time of an event that never happened; later than any other.
NEVER = int(np.iinfo(np.int64).max)
#: Bytes decoded at a time.
BLOCK = 16 << 20

T = TypeVar("T")
Ints = NDArray[np.int64]


def blocks(path: Path, type_: type[T]) -> Iterator[list[T]]:
    """The lines of a file in lists, without an incomplete last line. Raises RunDirError naming file and line."""
    decode = msgspec.json.Decoder(type_).decode_lines
    with rundir.unreadable(path):
        for block in foreign.blocks(path, BLOCK):
            try:
                found = decode(block)
            except (msgspec.MsgspecError, RecursionError):
                for _ in rundir.read_lines(path, type_):  # slower, but names the line
                    pass
                raise
            yield found


def table(rows: Iterable[list[T]], columns: dict[str, Callable[[T], Any]], **dtypes: Any) -> pd.DataFrame:
    """A frame with one column per function; `dtypes` default to int64."""
    parts: dict[str, list[Any]] = {name: [] for name in columns}
    for block in rows:
        for name, value in columns.items():
            parts[name].append(np.array([value(row) for row in block], dtype=dtypes.get(name, np.int64)))
    return pd.DataFrame(
        {
            name: np.concatenate(part) if part else np.array([], dtype=dtypes.get(name, np.int64))
            for name, part in parts.items()
        }
    )


def first(times: Ints, groups: Ints, size: int) -> Ints:
    """The earliest time of each of `size` groups; NEVER for an empty one."""
    found = np.full(size, NEVER, dtype=np.int64)
    np.minimum.at(found, groups, times)
    return found


def count(groups: Ints, size: int) -> Ints:
    """The frequency of each of `size` groups; -1 belongs to none."""
    return np.bincount(groups[groups >= 0], minlength=size).astype(np.int64)
