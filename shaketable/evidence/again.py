"""The command that plays a run once more: as it was typed, with paths that hold from wherever it is pasted."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.errors import RunDirError
from shaketable.rundir import RunDir


class TypedCommand(msgspec.Struct, frozen=True):
    """What was typed after `shaketable run`, in words; a path is absolute."""

    scenario: str
    options: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()  # those that must hold the services' URLs, which are written down nowhere


def command(run: RunDir, scenario: str) -> str:
    """The command, quoted for a shell; of a run that does not say what was typed, by its scenario's name."""
    asked = _read(run) or TypedCommand(scenario)
    words = [shown(Path(word)) if Path(word).is_absolute() else word for word in (asked.scenario, *asked.options)]
    return line("run", *words, "--replay", shown(run.path))


def needs(run: RunDir) -> str:
    """What must be set before the command is given; "" for nothing."""
    asked = _read(run)
    return f"first set {', '.join(asked.variables)}: the services' URLs" if asked and asked.variables else ""


def line(*words: str) -> str:
    """A command of ours, quoted for a shell."""
    return shlex.join(["shaketable", *words])


def shown(path: Path) -> str:
    """The path as people would type it from here; no option's name."""
    told = str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return f"./{told}" if told.startswith("-") else told


def _read(run: RunDir) -> TypedCommand | None:
    """None for an older run, or one whose file is damaged: its verdict does not depend on it."""
    try:
        return rundir.read_json(run / rundir.ASKED, TypedCommand)
    except RunDirError:
        return None
