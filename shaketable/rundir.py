"""The run directory: the files of a run by name. `check` and `report` read nothing else."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from shaketable.errors import HarnessError, RunDirError, ShaketableError
from shaketable.files import atomic, foreign

#: Raised when a file's form changes so that an older reader would misread it.
SCHEMA = 1

SCENARIO = "scenario.json"
ASKED = "asked.json"
TARGET = "target.json"
ENVIRONMENT = "environment.json"
CORPUS = "corpus.jsonl"
SCHEDULE = "schedule.jsonl"
PHASES = "phases.jsonl"
JOURNALS = "journal-*.jsonl"
FAULTS = "faults.jsonl"
PROBES = "probes.jsonl"
TRANSITIONS = "transitions.jsonl"
STORED = "stored.jsonl"
DEAD_LETTERS = "dead_letters.jsonl"
QUEUE = "queue.jsonl"
POISON = "poison.jsonl"
RECEIVED = "received.jsonl"
TRACES = "traces.jsonl"
VERDICT = "verdict.json"
LOGS = "logs"
LATEST = "latest"
#: Errors of writing (stream or disk), never of reading: they do not mean that a run directory is damaged.
UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EPIPE)

#: What to do about a refused file, by its error.
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free disk space (`check` judges the files written so far)"),
    errno.EFBIG: "raise the limit of a file's size (`check` judges the files written so far)",
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "make the folder writable"),
    errno.ENOENT: "the folder is gone, or was never there",
}

#: Mode of a folder that holds events.
PRIVATE = 0o700
#: The most journals of one run: one per load process.
MOST_JOURNALS = 1_000

#: The beginning of a run directory's name.
_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}-")

T = TypeVar("T")


class RunDir:
    """One run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def logs(self) -> Path:
        """The folder for the logs of servers and processes."""
        return self.path / LOGS

    def journal(self, process: str) -> Path:
        """The journal of one load process."""
        return self.path / f"journal-{process}.jsonl"

    def journals(self) -> list[Path]:
        """All load journals, sorted by name. Raises RunDirError for more than MOST_JOURNALS."""
        found = sorted(islice(self.path.glob(JOURNALS), MOST_JOURNALS + 1))
        if len(found) > MOST_JOURNALS:
            raise RunDirError(f"expected at most {MOST_JOURNALS} journals in {self.path}, got more")
        return found

    def has(self, name: str) -> bool:
        """Whether the file exists; a dangling link counts as existing and fails to be read."""
        return os.path.lexists(self.path / name)


def create(root: Path, scenario: str, target: str, now: datetime | None = None) -> RunDir:
    """Create `root/20261123T101502Z-4f1c-SCENARIO-TARGET` and point the link `root/latest` to it."""
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    root = root.resolve()  # processes of a run have other working directories
    path = root / f"{stamp}-{secrets.token_hex(2)}-{scenario}-{target}"
    root.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=PRIVATE)  # its files hold events
    (path / LOGS).mkdir(mode=PRIVATE)
    point_latest(root, path)
    return RunDir(path)


def point_latest(root: Path, path: Path) -> None:
    """Replace the link atomically, so that a reader always finds one."""
    fresh = root / f".latest-{path.name}"
    fresh.symlink_to(path.name)
    os.replace(fresh, root / LATEST)


def holds_runs(path: Path) -> bool:
    """Whether the path is a run directory, a folder of run directories, or its link to the latest, by their names."""
    if _RUN.match(path.name):
        return True
    try:
        return bool(_RUN.match(os.readlink(path if path.name == LATEST else path / LATEST)))
    except OSError:  # there is no such link
        return False


def find(path: Path) -> RunDir:
    """Open the run at `path`. Raises RunDirError when it is not a run directory."""
    if not path.is_dir():
        raise RunDirError(f"expected a run directory, got {path}: there is no such folder (run `shaketable run` first)")
    if not os.path.lexists(path / SCENARIO):
        raise RunDirError(f"expected a run directory, got {path}: it holds no {SCENARIO} (name a folder under runs/)")
    return RunDir(path.resolve())


def write_json(path: Path, value: Any, mode: int = atomic.PRIVATE) -> None:
    """Write one JSON document, indented. Raises HarnessError when it cannot be written."""
    with whole(path, mode) as out:
        out.write(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


@contextmanager
def whole(path: Path, mode: int = atomic.PRIVATE) -> Iterator[BinaryIO]:
    """Open a file for an atomic write. Raises HarnessError when it cannot be written."""
    try:
        with atomic.whole(path, mode) as out:
            yield out
    except IsADirectoryError as e:
        raise RunDirError(f"expected a file to write, got {path}: that is a folder; remove it") from e
    except OSError as e:
        raise refused(path, e) from e


def refused(path: Path, error: OSError) -> HarnessError:
    """The error for a file of a run that cannot be written."""
    why, remedy = error.strerror or str(error), _REMEDIES.get(error.errno or 0, "see to the disk")
    return HarnessError(f"cannot write {path}: {why}: {remedy}")


def read_json(path: Path, type_: type[T]) -> T:
    """Read one JSON document. Raises RunDirError naming the file and the mistake in it."""
    with unreadable(path):
        return msgspec.json.decode(foreign.read(path), type=type_)


def write_lines(path: Path, values: Iterable[Any]) -> int:
    """Write one JSON line per value and return their number. Raises HarnessError when they cannot be written."""
    encode, n = msgspec.json.Encoder().encode, 0
    with whole(path) as out:
        for value in values:
            out.write(encode(value) + b"\n")
            n += 1
    return n


def read_lines(path: Path, type_: type[T]) -> Iterator[T]:
    """The JSON lines of a file, without an incomplete last line. Raises RunDirError naming file and line."""
    decode = msgspec.json.Decoder(type_).decode
    with unreadable(path):
        for number, line in enumerate(foreign.lines(path), 1):
            if not line.endswith(b"\n"):
                return
            with unreadable(path, f" line {number}"):
                found = decode(line)
            yield found


@contextmanager
def unreadable(path: Path, place: str = "") -> Iterator[None]:
    """Turn errors of reading a possibly foreign file into a RunDirError that names the file."""
    try:
        yield
    except OSError as e:
        raise RunDirError(f"cannot read {path.name} of {path.parent}: {e.strerror or e}") from e
    except (msgspec.MsgspecError, ValueError, RecursionError, MemoryError) as e:
        raise RunDirError(f"cannot read {path.name}{place} of {path.parent}: {str(e) or type(e).__name__}") from e


@contextmanager
def judging(path: Path) -> Iterator[None]:
    """Turn any error that the contents of a run directory cause into a RunDirError: it may come from a stranger."""
    try:
        yield
    except ShaketableError:
        raise
    except Exception as e:
        if isinstance(e, OSError) and e.errno in UNWRITTEN:
            raise
        raise RunDirError(
            f"{path} has contents that no run writes ({type(e).__name__}: {e}): "
            "if shaketable wrote them, please report a bug"
        ) from e
