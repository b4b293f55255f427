"""Settings: a scenario's values for the target. A setting without a variable in the manifest has no effect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec

from shaketable.target.manifest import Manifest, Timing

Settings = Mapping[str, float | str]
#: Settings with a more explicit name in scenarios than in the manifest's [timing].
_TIMING = {"breaker_recovery_s": "recovery_s", "breaker_failure_threshold": "failure_threshold"}


def translate(settings: Settings, manifest: Manifest) -> dict[str, str]:
    """The settings as the target's environment variables. An empty name means that the setting follows from others."""
    return {manifest.settings[name]: f"{value}" for name, value in settings.items() if manifest.settings.get(name)}


def not_taken(settings: Settings, manifest: Manifest) -> dict[str, float | str]:
    """The settings for which the manifest's [settings] has no variable."""
    return {name: value for name, value in settings.items() if name not in manifest.settings}


def mistakes(settings: Settings) -> Iterator[str]:
    """Sentences on settings that replace a bound of [timing] and are none."""
    for name in settings:
        if (bound := _TIMING.get(name, name)) in Timing.__struct_fields__:
            yield from _mistakes(name, bound, settings[name])


def _mistakes(name: str, bound: str, value: float | str) -> Iterator[str]:
    try:
        timing = msgspec.convert({bound: value}, Timing, strict=False)
    except msgspec.ValidationError:
        kind = "count" if bound == "failure_threshold" else "number"
        yield f"settings: expected {name} to be a {kind}, got {value!r}"
    else:
        yield from (f"settings: {name}: {mistake}" for mistake in timing.mistakes())


def judged_by(manifest: Manifest, settings: Settings) -> Timing:
    """The timing for the checks: the manifest's, with the values of settings that reach the target."""
    timing = msgspec.structs.asdict(manifest.timing)
    reached = {_TIMING.get(name, name): value for name, value in settings.items() if name in manifest.settings}
    return msgspec.convert({name: reached.get(name, value) for name, value in timing.items()}, Timing, strict=False)


def longer_s(settings: Settings, timing: Timing) -> dict[str, float]:
    """By name in [timing]: seconds by which a target's own bound exceeds these settings, which it does not take."""
    own = msgspec.structs.asdict(timing)
    named = {_TIMING.get(name, name): _seconds(value) for name, value in settings.items() if name.endswith("_s")}
    return {name: own[name] - value for name, value in named.items() if name in own and own[name] > value}


def _seconds(value: float | str) -> float:
    """The value as a number; NaN, which nothing exceeds, for a string that is none."""
    try:
        return float(value)
    except ValueError:
        return math.nan
