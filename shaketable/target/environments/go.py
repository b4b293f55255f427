"""Programs from the Go module proxy: `go = "FOLDER"`, the folder of which is named `{go_bin}` in commands.

The folder has a go.mod, whose `tool` lines name the programs, and a go.sum with the checksum of every module. They are
built once, by Go on PATH or that of a wheel (`stack.golang`).
"""

from __future__ import annotations

import re
import shutil
import sysconfig
from functools import partial
from pathlib import Path

from shaketable.errors import ManifestError
from shaketable.files import cached
from shaketable.files.cached import Say
from shaketable.stack.golang import GO, GoBuild

#: The files that pin the programs.
PINS = ("go.mod", "go.sum")
_REMEDY = "look at the network, and whether the Go module proxy is reachable and has these versions"
_TOOL = re.compile(r"^(?:tool\s+|\t)(\S+/\S+)\s*$", re.MULTILINE)
_VERSION = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)


def paths(folder: Path, say: Say, cache: Path | None = None) -> tuple[Path]:
    """The value of `{go_bin}`. Raises HarnessError or ManifestError."""
    pins = [folder / name for name in PINS]
    what, digest = f"the programs of {folder.name}/go.mod", cached.digest(*pins)
    kept = cached.root(cache) / f"{digest}-go-{sysconfig.get_platform()}"
    cached.ensure(kept, partial(_make, folder, what, say), what, say)
    return (kept / "bin",)


def _make(source: Path, what: str, say: Say, folder: Path, lock: int) -> None:
    text = (source / "go.mod").read_text(encoding="utf-8")
    tools, wanted = _TOOL.findall(text), _VERSION.search(text)
    if not tools:
        raise ManifestError(f"expected {source / 'go.mod'} to name a program: write `tool MODULE/PACKAGE`, got none")
    build = folder / "build"
    build.mkdir(parents=True)
    try:
        for name in PINS:
            shutil.copyfile(source / name, build / name)
        oldest = max(GO, (int(wanted[1]), int(wanted[2]))) if wanted else GO
        flags = ["-mod=readonly", "-trimpath", "-ldflags", "-s -w"]
        GoBuild(what, _REMEDY, lock, say).run(["build", *flags, "-o", f"{folder / 'bin'}/", *tools], build, oldest)
    finally:
        shutil.rmtree(build, ignore_errors=True)
