"""The temporary folder of the local stack's servers, which their user must be able to enter."""

from __future__ import annotations

import pwd
import subprocess
import tempfile
from pathlib import Path

from shaketable.errors import InputError


def folder(user: str | None) -> Path:
    """The temporary folder. Raises InputError naming the first parent folder that the user cannot enter."""
    found = Path(tempfile.gettempdir()).resolve()
    for place in (*reversed(found.parents), found) if user else ():
        if not _can_enter(place, str(user)):
            raise InputError(
                f"expected a temporary folder that user {user}, who runs PostgreSQL, can enter: got {found}, but "
                f"{place} denies access: run `chmod o+x {place}`, or set TMPDIR to another folder"
            )
    return found


def _can_enter(place: Path, user: str) -> bool:
    command = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(place)]
    return subprocess.run(command, user=user, group=pwd.getpwnam(user).pw_gid, extra_groups=[], cwd="/").returncode == 0
