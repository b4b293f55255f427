"""Compile the library once, with the machine's compiler; if it has none, with the one of a wheel in a temporary folder.

`pinned/ziglang.txt` fixes the wheel by its hashes.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from shaketable.errors import HarnessError, NotPlayable
from shaketable.files.cached import digest, ensure, execute
from shaketable.stack.golang import installer

NAME = "libshaketable-disk.so"
#: Programs on PATH that compile it, the first that works.
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror")

_HERE = Path(__file__).parent
_SOURCE, _PINNED = _HERE / "shim.c", _HERE / "pinned" / "ziglang.txt"


def library(
    cache: Path,
    say: Callable[[str], None] = print,
    compilers: Sequence[str] = COMPILERS,
    source: Path = _SOURCE,
    pinned: Path = _PINNED,
) -> Path:
    """The library in `cache`, compiled if missing. Raises NotPlayable when nothing here can compile or load it."""
    if sys.platform != "linux":
        raise NotPlayable(f"faults of a disk need Linux, and this is {platform.system()}")

    def make(folder: Path, lock: int) -> None:
        folder.mkdir(parents=True)
        try:
            _compile(source, folder, lock, [[path] for name in compilers if (path := shutil.which(name))], pinned, say)
        finally:
            shutil.rmtree(folder / "wheel", ignore_errors=True)

    return ensure(_folder(cache, source, pinned), make, "the library of the disk faults", say) / NAME


def at_hand(cache: Path) -> bool:
    """Whether `library` needs no download: it is compiled, or a compiler is on PATH."""
    return sys.platform == "linux" and (_folder(cache).exists() or any(map(shutil.which, COMPILERS)))


def _folder(cache: Path, source: Path = _SOURCE, pinned: Path = _PINNED) -> Path:
    return cache / f"disk-shim-{digest(source, pinned)}-{platform.machine()}"


def _compile(
    source: Path, folder: Path, lock: int, found: list[list[str]], pinned: Path, say: Callable[[str], None]
) -> None:
    """Try each compiler, then the wheel's."""
    failures = []
    for compiler in found:
        try:
            return _run(compiler, source, folder, lock)
        except HarnessError as e:
            failures.append(str(e))
    say("no C compiler on PATH that works: taking the one of the wheel ziglang (90 MB), for this build only")
    try:
        return _run(_wheel(folder / "wheel", pinned, lock), source, folder, lock)
    except HarnessError as e:
        failures.append(str(e))
    raise NotPlayable(
        f"faults of a disk need a C compiler to build a library once: install one as `cc` ({failures[0][-200:]})"
    )


def _run(compiler: list[str], source: Path, folder: Path, lock: int) -> None:
    command = [*compiler, *FLAGS, "-o", str(folder / NAME), str(source), "-ldl", "-lpthread"]
    own = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(folder / "wheel" / "cache"))
    execute(command, {**os.environ, **own}, lock, "the library of the disk faults", folder)


def _wheel(wheel: Path, pinned: Path, lock: int) -> list[str]:
    options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", str(wheel)]
    execute([*installer(), *options, "-r", str(pinned)], os.environ, lock, "a C compiler")
    return [str(wheel / "ziglang" / "zig"), "cc"]
