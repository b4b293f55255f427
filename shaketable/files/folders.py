"""Private folders of this user. The harness trusts, runs and deletes their contents: no other user may write there."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import platformdirs

from shaketable.errors import HarnessError


def state() -> Path:
    """The folder for undo journals, which hold passwords and must outlive the login session. Raises HarnessError."""
    return _first("XDG_STATE_HOME", [platformdirs.user_state_path("shaketable"), _temporary("state")], 0o700)


def cache() -> Path:
    """The folder for programs and corpora that are expensive to build. Raises HarnessError."""
    return _first("XDG_CACHE_HOME", [platformdirs.user_cache_path("shaketable"), _temporary("cache")], 0o700)


def shared() -> Path:
    """The folder for files of root that the servers' unprivileged user must be able to read. Raises HarnessError."""
    return _first("TMPDIR", [platformdirs.site_cache_path("shaketable"), _temporary("shared")], 0o755)


def own(path: Path, mode: int) -> Path:
    """Create the folder if missing. Raises HarnessError unless this user owns it and no other user can write there.

    A link is refused, and so is a parent folder whose entries other users may replace.
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
    """Whether all users may write there."""
    return bool(found.st_mode & stat.S_IWOTH)


def _first(variable: str, candidates: Sequence[Path], mode: int) -> Path:
    """The first candidate that is private; a home may be missing, read-only, or another user's after `sudo`."""
    refused: list[str] = []
    for path in candidates:
        try:
            if path.is_absolute():  # without a home directory it begins with a ~
                found = own(path, mode)
                if refused and candidates[0].is_relative_to(os.environ.get(variable) or path):
                    _warn(f"shaketable: {variable} is not used: {refused[0]}. {found} is used instead")
                return found
        except HarnessError as e:
            refused.append(str(e))
    raise HarnessError(
        f"expected a folder that only user {os.geteuid()} can write to, got none: {'; '.join(refused)}: "
        f"name one by {variable}"
    )


@lru_cache
def _warn(sentence: str) -> None:
    """Print it once: the user has named a folder, and would wonder why it stays empty."""
    print(sentence, file=sys.stderr, flush=True)


def _temporary(kind: str) -> Path:
    return Path(tempfile.gettempdir()) / f"shaketable-{kind}-{os.geteuid()}"
