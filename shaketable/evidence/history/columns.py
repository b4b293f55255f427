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

    A column of CATEGORY has few values, of any hashable type or None, and takes four bytes a row. Columns of numbers
    grow in place, and `take` copies none of them.
    """

    def __init__(self, columns: Mapping[str, Callable[[T], Any]], **dtypes: Any) -> None:
        self._columns = columns
        self._codes: dict[str, dict[Any, int]] = {name: {} for name in columns if dtypes.get(name) == CATEGORY}
        self._dtypes = {name: np.int32 if name in self._codes else dtypes.get(name, np.int64) for name in columns}
        self._grown: dict[str, bytearray | list[Any]] = {
            name: [] if dtype is object else bytearray() for name, dtype in self._dtypes.items()
        }

    def add(self, rows: list[T]) -> None:
        """Append rows."""
        for name, value in self._columns.items():
            values = map(value, rows)
            if isinstance(grown := self._grown[name], list):
                grown.extend(values)
            else:
                coded = map(self._code(name), values) if name in self._codes else values
                grown += np.fromiter(coded, self._dtypes[name], len(rows)).data

    def _code(self, name: str) -> Callable[[Any], int]:
        """A function from a value to its code; None has -1."""
        codes = self._codes[name]
        return lambda value: -1 if value is None else codes.setdefault(value, len(codes))

    def take(self, name: str) -> Any:
        """A column, once."""
        grown = self._grown.pop(name)
        column = np.array(grown, dtype=object) if isinstance(grown, list) else np.frombuffer(grown, self._dtypes[name])
        if name not in self._codes:
            return column
        return pd.Categorical.from_codes(column, pd.Index(list(self._codes.pop(name)), dtype=object))

    def frame(self) -> pd.DataFrame:
        """All columns, once."""
        return pd.DataFrame({name: self.take(name) for name in self._columns}, copy=False)


def table(rows: Iterable[list[T]], columns: Mapping[str, Callable[[T], Any]], **dtypes: Any) -> pd.DataFrame:
    """A frame of all rows with one column per function; `dtypes` default to int64."""
    made = Columns(columns, **dtypes)
    for block in rows:
        made.add(block)
    return made.frame()


def narrowed(column: Ints) -> Any:
    """The same numbers in the smallest type that holds them, for columns that are only compared, counted or summed."""
    return pd.to_numeric(column, downcast="integer")


def first(times: Ints, groups: Ints, size: int) -> Ints:
    """The earliest time of each of `size` groups; NEVER for an empty one."""
    found = np.full(size, NEVER, dtype=np.int64)
    np.minimum.at(found, groups, times)
    return found


def count(groups: Ints, size: int) -> Ints:
    """The frequency of each of `size` groups; -1 belongs to none."""
    return np.bincount(groups[groups >= 0], minlength=size).astype(np.int64)
