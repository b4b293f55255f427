"""Where an exploration stands, on disk, so that the next one goes on where it ended."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.errors import RunDirError

#: Raised when a member changes so that an older reader would misread it.
SCHEMA = 1
#: The file's name, by the target's.
FILE = "explore-{}.json"


class Position(msgspec.Struct, frozen=True):
    """The next trial of a seed's sequence, and the totals so far."""

    seed: int
    next: int = 0  # the number of the trial that comes next
    trials: int = 0  # all that were played, those of shrinking and confirming too
    failed: int = 0
    unknown: int = 0
    schema: int = SCHEMA
    options: str = ""  # a digest of the faults that were drawn from; "" in an older file


def read(folder: Path, target: str) -> Position | None:
    """The position of the last exploration of this target; None without a file that can be read."""
    path = folder / FILE.format(target)
    if not path.is_file():
        return None
    try:
        found = rundir.read_json(path, Position)
    except RunDirError:
        return None  # the sequence starts again: nothing is lost but time
    return found if found.schema == SCHEMA else None


def write(folder: Path, target: str, position: Position) -> None:
    """Replace the file. Raises HarnessError when the disk refuses it."""
    folder.mkdir(parents=True, exist_ok=True)
    rundir.write_json(folder / FILE.format(target), position)


def start(folder: Path, target: str, seed: int | None, options: str = "") -> Position:
    """Where to begin: with a seed at its first trial, else where the last exploration ended.

    One that drew from other faults says nothing about these: its seed begins again, with each fault alone.
    """
    last = None if seed is not None else read(folder, target)
    if last is None:
        return Position(1 if seed is None else seed, options=options)
    if last.options not in ("", options):
        return Position(last.seed, options=options)
    return msgspec.structs.replace(last, options=options)
