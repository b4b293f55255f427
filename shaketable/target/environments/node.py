"""A Node environment from a lock file: `node = "FOLDER"`, named `{node}` and `{node_folder}` in commands.

An ES module finds packages only in a node_modules above it, and the environment is in the cache: commands therefore run
a copy of the folder in the cache. The copy is renewed when a file of the folder changes, the packages only when their
pins change.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sysconfig
import tempfile
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from shaketable.errors import HarnessError, ToolchainMissing
from shaketable.files import cached
from shaketable.files.cached import Say
from shaketable.target.environments import sources

#: The files that pin the packages.
PINS = ("package.json", "package-lock.json")
#: The oldest supported major version of Node.js.
OLDEST = 20
#: The packages of a developer, which are not part of the sources.
_PACKAGES = ("node_modules",)


def paths(folder: Path, say: Say, cache: Path | None = None) -> tuple[Path, Path]:
    """The values of `{node}` and `{node_folder}`. Raises ToolchainMissing, HarnessError or ManifestError."""
    node, npm = _tool("node"), _tool("npm")
    pins = [folder / name for name in PINS]
    tag = f"node{version(node).partition('.')[0]}-{sysconfig.get_platform()}"
    what = f"the Node environment of {folder.name}"
    kept = cached.root(cache) / f"{cached.digest(*pins)}-{tag}"
    cached.ensure(kept, partial(_make, npm, pins, what), what, say)
    return node, _sources(folder, kept)


def _tool(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise ToolchainMissing(
            f"expected {name} on PATH, which the target's own environment needs, and there is none: install Node.js 20 "
            f"or newer, which brings node and npm"
        )
    return Path(found)


@cache
def version(node: Path) -> str:
    """Node's version. Raises ToolchainMissing for a missing or too old Node."""
    try:
        told = subprocess.run(
            [node, "--version"], capture_output=True, encoding="utf-8", errors="replace", timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError) as e:
        raise ToolchainMissing(f"{node} cannot be run ({e}): install Node.js 20 or newer") from e
    found = told.strip().removeprefix("v")
    major = found.partition(".")[0]
    if not (major.isascii() and major.isdigit() and int(major) >= OLDEST):
        raise ToolchainMissing(
            f"expected {node} to be Node.js {OLDEST} or newer, got version {told.strip()!r}: install "
            f"Node.js {OLDEST} or newer, and put it first on PATH"
        )
    return found


def _make(npm: Path, pins: list[Path], what: str, folder: Path, lock: int) -> None:
    folder.mkdir()
    for pin in pins:
        shutil.copy(pin, folder)
    cached.execute(
        [str(npm), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        os.environ,
        lock,
        what,
        cwd=folder,
    )


def _sources(folder: Path, kept: Path) -> Path:
    """The copy of the folder's current contents, created atomically, also by concurrent runs."""
    files = sources.files(folder, _PACKAGES)
    names = hashlib.sha256("\n".join(str(path.relative_to(folder)) for path in files).encode()).hexdigest()[:8]
    copy = kept / f"sources-{cached.digest(*files)}-{names}"
    if not copy.exists():
        made = Path(tempfile.mkdtemp(dir=kept))
        sources.copy(folder, made / "copy", _PACKAGES)
        with suppress(OSError):  # another run has created it
            (made / "copy").rename(copy)
        shutil.rmtree(made, ignore_errors=True)
    if not copy.exists():
        raise HarnessError(f"cannot copy {folder} to {copy}: free disk space, or check the permissions")
    return copy
