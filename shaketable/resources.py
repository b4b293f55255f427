"""Where scenarios, locustfiles and targets are looked up by name: here, beside the package, then inside the wheel."""

from __future__ import annotations

from pathlib import Path

from shaketable.errors import InputError, ManifestError

_PACKAGE = Path(__file__).parent


def places(folder: str) -> list[Path]:
    """The folders of that name, nearest first: `./FOLDER`, the checkout's, the wheel's."""
    candidates = [Path(folder), _PACKAGE.parent / folder, _PACKAGE / "_bundled" / folder]
    return [place for place in candidates if place.is_dir()]


def find(path: str) -> Path:
    """A file by its path below one of the places, such as `locustfiles/ingest.py`. Raises InputError for none."""
    folder, _, rest = path.partition("/")
    for place in places(folder):
        if (place / rest).is_file():
            return (place / rest).resolve()
    raise InputError(f"expected {path} here, beside the package or inside it, but there is none: is the wheel whole?")


def targets() -> dict[str, Path]:
    """Every target that has a name: the reference, and the alternatives; the nearest file of a name counts."""
    found = {path.stem: path for place in reversed(places("alternatives")) for path in sorted(place.glob("*.toml"))}
    return {"reference": find("reference_impl/target.toml"), **found}


def target(named: Path | None) -> Path:
    """A target's manifest: a path as it is, a name from `targets`, the reference for None. Raises ManifestError."""
    if named is not None and is_file(named):
        return named
    known, name = targets(), str(named or "reference")
    if name not in known:
        raise ManifestError(f"no target is called {name!r}: name a manifest's file, or one of {', '.join(known)}")
    return known[name].resolve()


def is_file(named: Path) -> bool:
    """Whether a manifest's file is meant, and not a target of that name."""
    return bool(named.suffix) or named.exists()
