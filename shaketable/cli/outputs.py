"""Results for CI: files and annotations."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.errors import InputError

if TYPE_CHECKING:
    from shaketable.results.result import Result


@dataclass(frozen=True)
class Outputs:
    """The files and annotations that the options name."""

    json: Path | None = None
    junit: Path | None = None
    github: bool = False
    badge: Path | None = None

    def prepare(self) -> None:
        """Make the files' folders, and remove the files of an earlier run: they would pass for this run's.

        Raises InputError, before anything is played, for a path that cannot be written.
        """
        for path in filter(None, (self.json, self.junit, self.badge)):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.is_file():
                    path.unlink()
                with tempfile.NamedTemporaryFile(dir=path.parent):
                    pass  # the folder takes files
            except OSError as e:
                raise InputError(f"cannot write {path}: {e.strerror}: name another file") from e
            if path.is_dir():
                raise InputError(f"expected a file to write to, got the folder {path}: name a file")
            if path.exists():  # it would be replaced, by a file beside it
                raise InputError(f"expected a plain file to write to, got {path}: name another file")

    def write(self, runs: Sequence[Result]) -> None:
        """Write all of them. Raises HarnessError when the disk refuses one."""
        try:
            self.announce(runs)
        finally:  # the files are written even if nobody reads the annotations
            self.save(runs)

    def announce(self, runs: Sequence[Result]) -> None:
        """Append to the step summary, and print the annotations."""
        from shaketable.report.ci import github

        if self.github:
            try:
                github.append(github.markdown(runs), os.environ)
            finally:
                for line in github.commands(runs):
                    print(line, flush=True)

    def save(self, runs: Sequence[Result]) -> None:
        """Write the files."""
        from shaketable import rundir
        from shaketable.files import atomic
        from shaketable.report.ci import badge, junit
        from shaketable.results.result import collect

        if self.json is not None:
            rundir.write_json(self.json, collect(runs), atomic.ORDINARY)
        if self.junit is not None:
            junit.write(self.junit, runs)
        if self.badge is not None:
            badge.write(self.badge, runs)


@dataclass(frozen=True)
class GrowingOutputs(Outputs):
    """Outputs of a command that writes results twice: the files have those of both."""

    runs: list[Result] = field(default_factory=list)

    def write(self, runs: Sequence[Result]) -> None:
        self.runs.extend(runs)
        try:
            self.announce(runs)
        finally:
            self.save(self.runs)
