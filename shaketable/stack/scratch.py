"""The temporary folder that the local stack's servers live in: whoever runs them must be able to enter it."""

from __future__ import annotations

import pwd
import subprocess
import tempfile
from pathlib import Path

from shaketable.errors import InputError


def folder(user: str | None) -> Path:
    """The temporary folder. Raises InputError naming the first folder on the way that the user cannot enter."""
    found = Path(tempfile.gettempdir()).resolve()
    for place in (*reversed(found.parents), found) if user else ():
        if not _can_enter(place, str(user)):
            raise InputError(
                f"expected a temporary folder that user {user}, who runs PostgreSQL here, can enter: got {found}, and "
                f"{place} keeps that user out: `chmod o+x {place}`, or name another folder by TMPDIR"
            )
    return found


def _can_enter(place: Path, user: str) -> bool:
    command = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(place)]
    return subprocess.run(command, user=user, group=pwd.getpwnam(user).pw_gid, extra_groups=[], cwd="/").returncode == 0
