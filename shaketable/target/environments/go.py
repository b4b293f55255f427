"""Programs built with Go: `go = "FOLDER"`, the folder of which is named `{go_bin}` in commands.

The folder has a go.mod, whose `tool` lines name programs from the Go module proxy, and a go.sum with the checksum of
every module. Its own `package main` is a program, too, named as the last word of its module. They are built once for
each content of the folder, by Go on PATH or that of a wheel (`stack.golang`).
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sysconfig
from functools import partial
from pathlib import Path

from shaketable.errors import ManifestError
from shaketable.files import cached
from shaketable.files.cached import Say
from shaketable.stack.golang import GO, GoBuild
from shaketable.target.environments import sources

#: The files that pin the programs.
PINS = ("go.mod", "go.sum")
_REMEDY = "look at the network, and whether the Go module proxy is reachable and has these versions"
_TOOL = re.compile(r"^(?:tool\s+|\t)(\S+/\S+)\s*$", re.MULTILINE)
_VERSION = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)


def paths(folder: Path, say: Say, cache: Path | None = None) -> tuple[Path]:
    """The value of `{go_bin}`. Raises HarnessError or ManifestError."""
    own = [path for path in sources.files(folder) if path.name not in PINS]
    what, pins = f"the programs of {folder.name}/go.mod", [folder / name for name in PINS]
    names = hashlib.sha256("\n".join(str(path.relative_to(folder)) for path in own).encode()).hexdigest()[:8]
    digest = cached.digest(*pins, *own) + (f"-{names}" if own else "")
    kept = cached.root(cache) / f"{digest}-go-{sysconfig.get_platform()}"
    cached.ensure(kept, partial(_make, folder, what, say), what, say)
    return (kept / "bin",)


def _make(source: Path, what: str, say: Say, folder: Path, lock: int) -> None:
    text = (source / "go.mod").read_text(encoding="utf-8")
    tools, wanted = _TOOL.findall(text), _VERSION.search(text)
    own = ["."] if any(source.glob("*.go")) else []
    if not (tools or own):
        raise ManifestError(
            f"expected {source / 'go.mod'} to name a program, or Go files beside it, got none: "
            "write `tool MODULE/PACKAGE`, or a main.go"
        )
    build = folder / "build"
    sources.copy(source, build)
    try:
        oldest = max(GO, (int(wanted[1]), int(wanted[2]))) if wanted else GO
        flags = ["-mod=readonly", "-trimpath", "-ldflags", "-s -w"]
        remedy = f"correct the Go files, or {_REMEDY}" if own else _REMEDY
        GoBuild(what, remedy, lock, say).run(["build", *flags, "-o", f"{folder / 'bin'}/", *own, *tools], build, oldest)
    finally:
        shutil.rmtree(build, ignore_errors=True)
