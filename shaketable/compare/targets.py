"""The targets of a comparison, by manifest or by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from shaketable import resources
from shaketable.compare import comparison
from shaketable.compare.comparison import Announced, tidy
from shaketable.errors import InputError
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.resources import places
from shaketable.target import manifest as manifests
from shaketable.target.manifest import PLACEHOLDERS, Manifest

#: Suffixes of source files, and folders without any of the target's own.
_SOURCE = {".py", ".js", ".mjs", ".cjs", ".ts", ".go", ".mod", ".sum", ".sql", ".sh", ".rb", ".java", ".rs"}
_NO_CODE = {"node_modules", "__pycache__", "site-packages", "venv", "runs"}


@dataclass(frozen=True)
class ComparedTarget:
    """A target of the comparison: its manifest and where it is."""

    path: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def shapes(self) -> OwnShapes | None:
        """The shapes of its own events; None if they are audit events."""
        return OwnShapes(self.manifest.event, self.path.parent) if self.manifest.event else None

    @property
    def digest(self) -> str:
        """The digest of the manifest and the files that pin its environment."""
        pinned = [named for key in PLACEHOLDERS if (named := getattr(self.manifest, key, None)) is not None]
        files = [self.path, *(file for name in pinned for file in _files(self.path.parent / name))]
        return comparison.digest(*files)

    @property
    def code(self) -> str:
        """A digest of the code next to its requirements and in `../common`, or beside the manifest; and the version."""
        folder = self.path.parent.resolve()
        places = [folder]
        if self.manifest.requirements is not None:
            folder = (folder / self.manifest.requirements).parent
            places = [folder, folder.parent / "common"]
        files = [file for place in places for file in _code(place)]
        return f"{comparison.digest(*files)} {version('shaketable')}"


def targets(asked: Sequence[str]) -> list[ComparedTarget]:
    """The named targets; without names, the reference and all of alternatives/.

    Raises InputError for an unknown name, an unreadable manifest, and two targets of one name.
    """
    paths = [_manifest(name) for name in asked] if asked else [_manifest("reference"), *_alternatives().values()]
    found = [ComparedTarget(path, manifests.load(path)) for path in paths]
    for number, target in enumerate(found):
        if twin := next((one for one in found[:number] if tidy(one.name) == tidy(target.name)), None):
            raise InputError(
                f"expected each target to have a unique name: {twin.path} and {target.path} are "
                f"both called {target.name!r}"
            )
    return found


def announced(targets: Sequence[ComparedTarget]) -> Announced:
    """What all of those that are sent audit events announce."""
    audit = [target.manifest for target in targets if target.manifest.event is None]
    limits = [each.ingest.max_bytes for each in audit]
    least = min((limit for limit in limits if limit is not None), default=None) if None not in limits else None
    return Announced(least, bool(audit) and all(each.capabilities.numbers is not None for each in audit))


def _manifest(name: str) -> Path:
    if name == "reference":
        return resources.target(None)
    if Path(name).is_file():
        return Path(name).resolve()
    known = _alternatives()
    if name not in known:
        raise InputError(f"expected a manifest, or one of {', '.join(['reference', *known])}: got {name!r}")
    return known[name]


def _alternatives() -> dict[str, Path]:
    """The manifests in the nearest alternatives/, by name."""
    nearest = places("alternatives")[:1]
    return {path.stem: path.resolve() for place in nearest for path in sorted(place.glob("*.toml"))}


def _code(folder: Path) -> Iterator[Path]:
    """The source files in the folder and below, in order; without those of packages, caches and runs."""
    for place, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith(".") and name not in _NO_CODE)
        yield from (Path(place) / name for name in sorted(files) if Path(name).suffix in _SOURCE)


def _files(path: Path) -> list[Path]:
    """The file, or all of a folder but for packages that somebody installed there."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and "node_modules" not in file.parts)
    return [path] if path.is_file() else []
