"""Look up scenarios, locustfiles and targets by name: in the current folder, the checkout, then the wheel."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from shaketable.errors import InputError, ManifestError, ToolchainMissing

_PACKAGE = Path(__file__).parent


def places(folder: str) -> list[Path]:
    """Existing folders of that name in search order: `./FOLDER`, the checkout's, the wheel's."""
    candidates = [Path(folder), _PACKAGE.parent / folder, _PACKAGE / "_bundled" / folder]
    return [place for place in candidates if place.is_dir()]


def find(path: str) -> Path:
    """Find a file such as `locustfiles/ingest.py` in the search path. Raises InputError when there is none."""
    folder, _, rest = path.partition("/")
    for place in places(folder):
        if (place / rest).is_file():
            return (place / rest).resolve()
    raise InputError(f"expected {path} in the current folder, checkout or wheel, found none: reinstall shaketable")


def targets() -> dict[str, Path]:
    """All named targets: the reference and the alternatives; the first file of a name in search order wins."""
    found = {path.stem: path for place in reversed(places("alternatives")) for path in sorted(place.glob("*.toml"))}
    return {"reference": find("reference_impl/target.toml"), **found}


def target(named: Path | None) -> Path:
    """Return a target's manifest: a path, a folder's target.toml, or a name from `targets`; None is the reference.

    Raises ManifestError for an unknown name, and ToolchainMissing for the reference without its extra.
    """
    if named is not None and (named / "target.toml").is_file():
        return named / "target.toml"
    if named is not None and is_file(named):
        return named
    known, name = targets(), str(named or "reference")
    if name not in known:
        raise ManifestError(f"no target is called {name!r}: name a manifest's file, or one of {', '.join(known)}")
    if name == "reference" and find_spec("starlette") is None:
        raise ToolchainMissing("the target reference needs its extra: run `pip install 'shaketable[reference]'`")
    return known[name].resolve()


def is_file(named: Path) -> bool:
    """Whether the argument is a manifest file rather than a target's name."""
    return bool(named.suffix) or named.exists()
