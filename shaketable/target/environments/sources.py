"""The source files of a folder in which a target is developed: without runs, dot files and installed packages.

The folder may be a whole project (`node = "."`): a run directory that others write to is no source, and neither is
`.git`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable
from functools import partial
from pathlib import Path

from shaketable import rundir
from shaketable.errors import HarnessError


def files(folder: Path, packages: Collection[str] = ()) -> list[Path]:
    """The files, sorted; `packages` are names of folders of installed packages."""
    found: list[Path] = []
    for place, below, names in os.walk(folder):
        out = _left_out(packages, place, [*below, *names])
        below[:] = [name for name in below if name not in out]
        found += [Path(place, name) for name in names if name not in out]
    return sorted(path for path in found if path.is_file())


def copy(folder: Path, to: Path, packages: Collection[str] = ()) -> None:
    """Copy them to a new folder. Raises HarnessError for a file that changes meanwhile or cannot be copied."""
    try:
        shutil.copytree(folder, to, ignore=partial(_left_out, packages), ignore_dangling_symlinks=True)
    except shutil.Error as e:
        path, _, why = e.args[0][0]
        raise HarnessError(f"cannot copy {path}, a source of the target: {why}: let nothing write to {folder}") from e
    except OSError as e:
        raise HarnessError(f"cannot copy {folder}, the sources of the target: {e}") from e


def _left_out(packages: Collection[str], place: str, names: Iterable[str]) -> set[str]:
    return {name for name in names if name.startswith(".") or name in packages or rundir.holds_runs(Path(place, name))}
