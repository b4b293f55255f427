"""Files written whole or not at all, through a fresh file of our own: nothing that lies in a folder is written through.

The fresh file has a name that nobody can guess and is created exclusively, so that a link put there beforehand is never
followed. It then takes the place of the old file, or of a link, in one step.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

#: Who may read what holds events, and what is asked for by name (a JUnit file), less the umask.
PRIVATE, ORDINARY = 0o600, 0o666

_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def whole(path: Path, mode: int = PRIVATE) -> Iterator[BinaryIO]:
    """A file to be written whole or not at all. Raises OSError."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    part = f".{secrets.token_hex(8)}.part"  # short, for a name may be as long as the system allows
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
