"""Where cells are played: by worker processes of this machine, or by the workers of a Dask scheduler."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from shaketable.errors import InputError, ToolchainMissing

#: How the address of a scheduler begins.
SCHEMES = ("tcp://", "tls://")


@dataclass(frozen=True)
class Machines:
    """Exactly one of `jobs` and `on`. Without `results`, the folders of cells are in a temporary store."""

    jobs: int = 0  # workers to start on this machine
    on: str = ""  # the address of a scheduler
    results: str = ""  # the URL of a store that all machines reach

    @classmethod
    def of(cls, jobs: int | None, on: str, results: str) -> Machines | None:
        """The machines that the options name; None to play in this process. Raises InputError; ToolchainMissing."""
        if jobs is None and not on:
            if results:
                raise InputError("expected --results with --jobs or --on, got it alone: give one of them")
            return None
        if jobs is not None and on:
            raise InputError("expected --jobs or --on, got both: a scheduler has workers of its own")
        if on and not on.startswith(SCHEMES):
            raise InputError(f"expected --on as tcp://HOST:PORT or tls://HOST:PORT, got {on!r}")
        if on and not results:
            raise InputError(
                "expected --results with --on: the URL of a store that all machines reach, or a shared folder"
            )
        if any(importlib.util.find_spec(name) is None for name in ("distributed", "fsspec")):
            raise ToolchainMissing("--jobs and --on need the extra cluster: run `pip install 'shaketable[cluster]'`")
        return cls(jobs or 0, on, results)

    def url(self, otherwise: Path) -> str:
        """The store's URL; a folder's whole path, since workers have other working directories."""
        named = self.results or str(otherwise)
        return named if "://" in named else str(Path(named).resolve())
