"""Runs that older versions saved; `tests/evidence/saved/README.md` describes them."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

from shaketable.rundir import RunDir

SAVED = Path(__file__).parents[1] / "evidence" / "saved"
#: Python 3.11.4 and newer, or distributions that backported it, extract with a filter.
FILTER: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def unpacked(name: str, folder: Path) -> RunDir:
    """The saved run `passed` or `failed`, in a folder of its name."""
    with tarfile.open(SAVED / f"{name}.tar.xz") as archive:
        archive.extractall(folder / name, **FILTER)
    return RunDir(folder / name)
