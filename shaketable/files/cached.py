"""Cached folders that are expensive to build: complete or absent, also with concurrent or interrupted builds."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from shaketable.errors import HarnessError, ManifestError
from shaketable.files import folders

Say = Callable[[str], None]

#: Timeout in seconds of one program during a build; the longest took 29 s on 2 cores.
MAKE_S = 600
#: Marks a complete folder; written last.
WHOLE = "whole"

_INDEX = "look at the network, and whether the package index is reachable and has these versions for this platform"


def root(cache: Path | None = None) -> Path:
    """The folder of cached environments."""
    return (cache or folders.cache()) / "environments"


def digest(*files: Path) -> str:
    """Return a digest of the files' contents. Raises ManifestError for a file that cannot be read."""
    try:
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()[:16]
    except OSError as e:
        raise ManifestError(
            f"expected the file that pins the target's environment, got {e.filename}: {e.strerror}"
        ) from e


def ensure(folder: Path, make: Callable[[Path, int], None], what: str, say: Say) -> Path:
    """Return `folder`, built by `make(folder, lock)` unless it is complete.

    One process builds while others wait. Remains of an interrupted build are removed first. `make` passes the lock's
    descriptor to its child processes: a child that outlives a killed harness holds the lock until it ends.
    """
    if (folder / WHOLE).exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(f"{folder.name}.lock"), f"another run makes {what}: waiting for it", say) as lock:
        if not (folder / WHOLE).exists():  # no other process has built it meanwhile
            say(f"making {what}, once (up to a minute)")
            shutil.rmtree(folder, ignore_errors=True)
            make(folder, lock)
            (folder / WHOLE).touch()
    return folder


@contextmanager
def _locked(path: Path, busy: str, say: Say) -> Iterator[int]:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(busy)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def execute(
    command: Sequence[str], env: Mapping[str, str], lock: int, what: str, cwd: Path | None = None, remedy: str = _INDEX
) -> None:
    """Run one program of a build. Raises HarnessError with the end of its output and the remedy."""
    try:
        done = subprocess.run(
            command,
            env=dict(env),
            cwd=cwd,
            pass_fds=(lock,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=MAKE_S,
        )
    except (OSError, subprocess.SubprocessError) as e:
        raise HarnessError(f"cannot make {what} ({e}): {remedy}") from e
    if done.returncode != 0:
        raise HarnessError(f"cannot make {what} ({' '.join(done.stdout.split())[-300:]}): {remedy}")
