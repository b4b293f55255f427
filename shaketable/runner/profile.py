"""A profile: which scenarios to play, and how often each. They are in profiles.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from shaketable.errors import InputError

_FILE = Path(__file__).parent / "profiles.toml"


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scenarios that one name plays."""

    story: str
    trials: dict[str, int]  # how often, by scenario
    every: bool = False  # all other scenarios too, once each
    explore_s: float = 0.0  # seconds of exploration after the scenarios


def profiles() -> dict[str, Profile]:
    """All of them by name."""
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), dict[str, Profile])


def find(name: str) -> Profile:
    """The profile of that name. Raises InputError, naming those there are."""
    known = profiles()
    if name not in known:
        raise InputError(f"expected a profile, one of {', '.join(known)}: got {name!r}")
    return known[name]
