"""Draw examples with Hypothesis: generation only, without a database or files in the working folder."""

from __future__ import annotations

import tempfile
import threading
import warnings
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

from shaketable.errors import ManifestError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
#: The time in seconds within which a user's file must be loaded and all examples drawn.
DRAW_S = 120.0


def examples(strategy: SearchStrategy[T], count: int, seed: int, key: Callable[[T], Hashable]) -> list[T]:
    """Draw `count` examples of different keys, or fewer if there are no more; deterministic for a seed."""
    from hypothesis import HealthCheck, Phase, given, settings  # takes half a second
    from hypothesis import seed as seeded

    found: dict[Hashable, T] = {}  # by key: Hypothesis repeats examples

    @seeded(seed)
    @settings(
        max_examples=count + count // 2 + 20,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: T) -> None:
        found.setdefault(key(example), example)

    with tempfile.TemporaryDirectory() as home, _own_home(Path(home)), _no_local_constants(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collect()
    return list(found.values())[:count]


def bounded(work: Callable[[], T], what: str) -> T:
    """The result of a user's code, which may never end. Raises ManifestError after DRAW_S, or the code's Exception.

    The code runs in a thread, since a file is loaded on any thread; one that never ends is left to the process's end.
    """
    found: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as e:  # is raised again below
            raised.append(e)

    thread = threading.Thread(target=run, name=f"draws {what}", daemon=True)
    thread.start()
    thread.join(DRAW_S)
    if raised and not isinstance(raised[0], Exception):
        raise ManifestError(f"{what} ends the program with {type(raised[0]).__name__}: leave that out")
    if raised:
        raise raised[0]
    if not found:
        raise ManifestError(
            f"{what} was not done within {DRAW_S:g} s: does it wait, or filter out nearly everything that it draws? "
            "Make it simpler"
        )
    return found[0]


def _own_home(home: Path) -> AbstractContextManager[Any]:
    """Hypothesis would otherwise write tables to a folder in the working directory."""
    return patch("hypothesis.configuration.__hypothesis_home_directory", home)


def _no_local_constants() -> AbstractContextManager[Any]:
    """Make a seed reproducible across processes.

    Hypothesis also draws constants from the local modules that happen to be loaded.
    """
    from hypothesis.internal.conjecture import providers
    from hypothesis.internal.constants_ast import Constants

    return patch.object(providers, "_get_local_constants", Constants)
