"""Folders of this user's own. What lies there is obeyed, run and deleted, so nobody else may have put it there."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from shaketable.errors import HarnessError


def state() -> Path:
    """Where undo journals lie: they must outlive the login session, and hold passwords. Raises HarnessError."""
    return _first("XDG_STATE_HOME", [platformdirs.user_state_path("shaketable"), _temporary("state")], 0o700)


def cache() -> Path:
    """Where programs and corpora are kept that are dear to make. Raises HarnessError."""
    return _first("XDG_CACHE_HOME", [platformdirs.user_cache_path("shaketable"), _temporary("cache")], 0o700)


def shared() -> Path:
    """Where root keeps what its servers' unprivileged user must be able to read. Raises HarnessError."""
    return _first("TMPDIR", [platformdirs.site_cache_path("shaketable"), _temporary("shared")], 0o755)


def own(path: Path, mode: int) -> Path:
    """The folder, made if it is missing. Raises HarnessError unless it is this user's and nobody else can write there.

    A link is refused, and so is a folder above it whose entries anybody may replace.
    """
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as e:
        raise HarnessError(f"{path}: {'it is a link' if path.is_symlink() else e.strerror}") from e
    try:
        found = os.fstat(fd)
        if found.st_uid != os.geteuid():
            raise HarnessError(f"{path} belongs to user {found.st_uid}, not to {os.geteuid()}")
        above = [
            each for each in path.resolve().parents if _is_open(each.stat()) and not each.stat().st_mode & stat.S_ISVTX
        ]
        if _is_open(found) or above:
            raise HarnessError(f"other users can write to {(path, *above)[-1]}")
        os.fchmod(fd, mode)
    finally:
        os.close(fd)
    return path


def _is_open(found: os.stat_result) -> bool:
    """Whether everybody may write there."""
    return bool(found.st_mode & stat.S_IWOTH)


def _first(variable: str, candidates: Sequence[Path], mode: int) -> Path:
    """The first that is one's own: a home may be missing, read-only, or kept by `sudo` from somebody else."""
    refused = []
    for path in candidates:
        try:
            if path.is_absolute():  # without a home it begins with a ~
                return own(path, mode)
        except HarnessError as e:
            refused.append(str(e))
    raise HarnessError(
        f"expected a folder that only user {os.geteuid()} can write to, got none: {'; '.join(refused)}: "
        f"name one by {variable}"
    )


def _temporary(kind: str) -> Path:
    return Path(tempfile.gettempdir()) / f"shaketable-{kind}-{os.geteuid()}"
