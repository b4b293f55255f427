"""The command that repeats a run, as it was typed, with absolute paths."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.errors import RunDirError
from shaketable.rundir import RunDir


class TypedCommand(msgspec.Struct, frozen=True):
    """The arguments of `shaketable run`; paths are absolute."""

    scenario: str
    options: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()  # environment variables with the services' URLs, which are never saved


def command(run: RunDir, scenario: str) -> str:
    """The command, quoted for a shell; built from the scenario's name if the run has no record of it."""
    asked = typed(run) or TypedCommand(scenario)
    words = [shown(Path(word)) if Path(word).is_absolute() else word for word in (asked.scenario, *asked.options)]
    return line("run", *words, "--replay", shown(run.path))


def needs(run: RunDir) -> str:
    """The preconditions of the command; "" for none."""
    asked = typed(run)
    return f"first set {', '.join(asked.variables)}: the services' URLs" if asked and asked.variables else ""


def line(*words: str) -> str:
    """A `shaketable` command, quoted for a shell."""
    return shlex.join(["shaketable", *words])


def shown(path: Path) -> str:
    """The path relative to the current folder if possible; never mistaken for an option."""
    told = str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return f"./{told}" if told.startswith("-") else told


def typed(run: RunDir) -> TypedCommand | None:
    """The recorded command; None for an older run or a damaged file, since the verdict does not depend on it."""
    try:
        return rundir.read_json(run / rundir.ASKED, TypedCommand)
    except RunDirError:
        return None
