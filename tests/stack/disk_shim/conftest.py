"""A disk that can be broken, and the C writer on it; both are compiled once."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from shaketable.files import folders
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.disk_shim.library import library

#: Runs the writer on the disk; returns the lines that it printed.
Write = Callable[..., list[str]]


@pytest.fixture(scope="session")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program, cc = tmp_path_factory.mktemp("writer") / "writer", shutil.which("cc")
    assert cc, "these tests need a C compiler"
    subprocess.run(
        [cc, "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program, Path(__file__).with_name("writer.c")],
        check=True,
        timeout=60,
    )
    return program


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the files that a power cut affects."""
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


@pytest.fixture
def disk(root: Path) -> Disk:
    return Disk(root.with_name("disk"), root, library(folders.cache()), None)


@pytest.fixture
def write(writer: Path, disk: Disk, root: Path) -> Write:
    def run(steps: str, cwd: Path = root) -> list[str]:
        done = subprocess.run(
            [writer, *steps.split()],
            cwd=cwd,
            env={**os.environ, **disk.environment},
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
            timeout=60,
        )
        return done.stdout.splitlines()

    return run
