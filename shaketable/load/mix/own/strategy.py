"""Load a strategy from a Python file beside the manifest."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shaketable.errors import ManifestError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def named(folder: Path, place: str, key: str) -> Any:
    """The value of `file.py:name`. Raises ManifestError for a missing file or name, and for a file that raises."""
    file, _, name = place.partition(":")
    path = folder / file
    if not path.is_file():
        raise ManifestError(f"expected {key} to name a Python file, got {path}: there is none")
    sys.path.insert(0, str(path.parent))  # it may import its neighbours
    try:
        found = runpy.run_path(str(path))
    except Exception as e:
        raise ManifestError(f"{key}: {path} raised {type(e).__name__}: {e}") from e
    finally:
        sys.path.remove(str(path.parent))
    if name not in found:
        raise ManifestError(f"expected {path} to hold {name} ({key}), got none: define it at the top level")
    return found[name]


def load(folder: Path, place: str) -> SearchStrategy[Any]:
    """The strategy that event.strategy names. Raises ManifestError."""
    from hypothesis.strategies import SearchStrategy

    found = named(folder, place, "event.strategy")
    if not isinstance(found, SearchStrategy):
        raise ManifestError(
            f"expected {place} (event.strategy) to be a Hypothesis strategy of objects, got a {type(found).__name__}: "
            "write st.fixed_dictionaries({…}) or so"
        )
    return found
