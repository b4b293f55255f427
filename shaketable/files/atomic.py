"""Atomic writes through a new temporary file, which then replaces the old file or link in one step.

The temporary file has an unpredictable name and is created exclusively, so a link prepared by another user is never
followed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

#: Modes of files that hold events, and of files that the user names (a JUnit file; the umask applies).
PRIVATE, ORDINARY = 0o600, 0o666

_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def whole(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """Open a file for an atomic write. Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    part = f".{secrets.token_hex(8)}.part"  # short: the name itself may be as long as the system allows
    try:
        with open(os.open(part, _FRESH, mode, dir_fd=folder), "wb") as out:
            try:
                yield out
                out.flush()
                os.replace(part, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=folder)
                raise
    finally:
        os.close(folder)
