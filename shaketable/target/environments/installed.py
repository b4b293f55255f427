"""The packages in a target's own environment, with versions, read from its files; Node reports its own version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

import msgspec

from shaketable.files.cached import WHOLE
from shaketable.target.environments import node

#: Installers, which are in every environment.
_MAKERS = {"pip", "setuptools", "wheel"}


class _Package(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""


def packages(programs: Mapping[str, str]) -> dict[str, str]:
    """Versions by name of the packages in the programs' environments; {} for a target without its own environment."""
    folders = {folder for program in programs.values() if (folder := _environment(Path(program)))}
    found = {name: version for folder in folders for name, version in [*_python(folder), *_node(folder)]}
    if "{node}" in programs:
        found["node"] = node.version(Path(programs["{node}"]))
    return {name: found[name] for name in sorted(found)}


def _environment(program: Path) -> Path | None:
    """The environment that contains a program or folder, found by its marker file."""
    return next((folder for folder in (program, *program.parents) if (folder / WHOLE).is_file()), None)


def _python(folder: Path) -> Iterator[tuple[str, str]]:
    paths = [str(path) for path in folder.glob("lib/python*/site-packages")]
    for each in distributions(path=paths) if paths else ():
        if each.metadata["Name"].lower() not in _MAKERS:
            yield each.metadata["Name"].lower(), each.version


def _node(folder: Path) -> Iterator[tuple[str, str]]:
    told: Iterable[Path] = (*folder.glob("node_modules/*/package.json"), *folder.glob("node_modules/@*/*/package.json"))
    for path in told:
        try:
            found = msgspec.json.decode(path.read_bytes(), type=_Package)
        except (OSError, msgspec.MsgspecError):  # an invalid package.json: its version stays unknown
            continue
        if found.name and found.version:
            yield found.name, found.version
