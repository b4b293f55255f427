"""Which scenarios `shaketable run` is asked for, and how often each."""

from __future__ import annotations

from collections.abc import Sequence

from shaketable.runner import profile as profiles
from shaketable.runner import scenario


def times(
    asked: Sequence[str],
    *,
    every: bool = False,
    nightly: bool = False,
    profile: str | None = None,
    trials: int | None = None,
) -> list[tuple[str, int]]:
    """Scenarios and how often each: those that are named, then the profile's, then all; `trials` beats the profile.

    Raises InputError for a profile that nobody knows.
    """
    found = {name: asked.count(name) for name in asked}
    if profile is not None:
        wanted = profiles.find(profile)
        found |= {name: often for name, often in wanted.trials.items() if name not in found}
        every, nightly = every or wanted.every, nightly or wanted.every
    if every or nightly:
        found |= {name: 1 for name in names(list(found), nightly) if name not in found}
    return [(name, trials or often) for name, often in found.items()]


def names(asked: Sequence[str], nightly: bool) -> list[str]:
    """Those that are asked for, then all that there are, the nightly ones only where they are wanted too."""
    known = [name for name, path in scenario.names().items() if nightly or not scenario.load(str(path)).nightly]
    return [*asked, *(name for name in known if name not in asked)]
