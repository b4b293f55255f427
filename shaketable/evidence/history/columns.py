"""Read JSON lines into columns, a block at a time, so that a million events are never all Python objects at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shaketable import rundir
from shaketable.files import foreign

#: The time of an event that never happened; later than any other.
NEVER = int(np.iinfo(np.int64).max)
#: The dtype of a column with few values.
CATEGORY = "category"
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


class Columns(Generic[T]):
    """Collects columns, one per function; `dtypes` default to int64.

    A column of CATEGORY has few values, of any hashable type or None, and takes four bytes a row.
    """

    def __init__(self, columns: Mapping[str, Callable[[T], Any]], **dtypes: Any) -> None:
        self._columns, self._dtypes = columns, {name: dtypes.get(name, np.int64) for name in columns}
        self._parts: dict[str, list[Any]] = {name: [] for name in columns}
        self._codes: dict[str, dict[Any, int]] = {name: {} for name in columns if self._dtypes[name] == CATEGORY}

    def add(self, rows: list[T]) -> None:
        """Append rows."""
        for name, value in self._columns.items():
            if name in self._codes:
                part = np.fromiter(map(self._code(name), map(value, rows)), np.int32, len(rows))
            else:
                part = np.fromiter(map(value, rows), self._dtypes[name], len(rows))
            self._parts[name].append(part)

    def _code(self, name: str) -> Callable[[Any], int]:
        """A function from a value to its code; None has -1."""
        codes = self._codes[name]
        return lambda value: -1 if value is None else codes.setdefault(value, len(codes))

    def take(self, name: str) -> Any:
        """A column; its parts are given up, so that no column is in memory twice for long."""
        parts = self._parts.pop(name)
        if name not in self._codes:
            return np.concatenate([np.array([], dtype=self._dtypes[name]), *parts])
        values = pd.Index(list(self._codes.pop(name)), dtype=object)
        return pd.Categorical.from_codes(np.concatenate([np.array([], dtype=np.int32), *parts]), values)

    def frame(self) -> pd.DataFrame:
        """All columns, once."""
        return pd.DataFrame({name: self.take(name) for name in self._columns}, copy=False)


def table(rows: Iterable[list[T]], columns: Mapping[str, Callable[[T], Any]], **dtypes: Any) -> pd.DataFrame:
    """A frame of all rows with one column per function; `dtypes` default to int64."""
    made = Columns(columns, **dtypes)
    for block in rows:
        made.add(block)
    return made.frame()


def first(times: Ints, groups: Ints, size: int) -> Ints:
    """The earliest time of each of `size` groups; NEVER for an empty one."""
    found = np.full(size, NEVER, dtype=np.int64)
    np.minimum.at(found, groups, times)
    return found


def count(groups: Ints, size: int) -> Ints:
    """The frequency of each of `size` groups; -1 belongs to none."""
    return np.bincount(groups[groups >= 0], minlength=size).astype(np.int64)
