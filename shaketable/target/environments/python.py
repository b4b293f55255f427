"""A Python environment from pinned, hashed requirements: `requirements = "FILE"`, named `{venv_python}` in commands."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from functools import partial
from pathlib import Path

from shaketable.errors import ToolchainMissing
from shaketable.files import cached
from shaketable.files.cached import Say


def paths(requirements: Path, say: Say) -> tuple[Path]:
    """The value of `{venv_python}`."""
    return (program(requirements, say),)


def program(requirements: Path, say: Say, cache: Path | None = None) -> Path:
    """The interpreter of the environment with exactly these requirements, for this version of Python.

    Raises ToolchainMissing, HarnessError or ManifestError.
    """
    _check_tools()
    tag = f"{sys.implementation.cache_tag}-{sysconfig.get_platform()}"
    folder = cached.root(cache) / f"{cached.digest(requirements)}-{tag}"
    python = folder / "bin" / "python"
    if not python.exists():  # never built, or its Python was removed from this machine (a dangling link)
        (folder / cached.WHOLE).unlink(missing_ok=True)
    what = f"the Python environment of {requirements.parent.name}/{requirements.name}"
    cached.ensure(folder, partial(_make, requirements, what), what, say)
    return python


def _check_tools() -> None:
    """Some distributions package venv and ensurepip separately from Python."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise ToolchainMissing(
                f"expected Python's module {module}, which makes the target's environment, and {sys.executable} lacks "
                f"it: install your system's package for it, such as python3-venv"
            )


def _make(requirements: Path, what: str, folder: Path, lock: int) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    cached.execute([sys.executable, "-m", "venv", str(folder)], env, lock, what)
    cached.execute(
        [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "-r",
            str(requirements),
        ],
        env,
        lock,
        what,
    )
