"""Where results go beside the terminal: files and annotations that CI reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shaketable import rundir
from shaketable.errors import InputError
from shaketable.files import atomic
from shaketable.report.ci import github, junit
from shaketable.results.result import Result, collect


@dataclass(frozen=True)
class Outlets:
    """What was asked for."""

    json: Path | None = None
    junit: Path | None = None
    github: bool = False

    def prepare(self) -> None:
        """Make the files' folders, and remove what an earlier run left: it would pass for this one's.

        A name that cannot be is told before anything is played. Raises InputError.
        """
        for path in filter(None, (self.json, self.junit)):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.is_file():
                    path.unlink()
            except OSError as e:
                raise InputError(f"cannot write {path}: {e.strerror}: name another file") from e
            if path.is_dir():
                raise InputError(f"expected a file to write to, got the folder {path}: name a file")

    def write(self, runs: Sequence[Result]) -> None:
        """Write all of it. Raises HarnessError when the disk refuses it."""
        if self.github:
            for line in github.commands(runs):
                print(line, flush=True)
            github.append(github.markdown(runs), os.environ)
        if self.json is not None:
            rundir.write_json(self.json, collect(runs), atomic.ORDINARY)
        if self.junit is not None:
            junit.write(self.junit, runs)
