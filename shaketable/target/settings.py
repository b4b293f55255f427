"""Settings: a scenario's values, as far as the manifest has a variable for each; the others stay without effect."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from shaketable.target.manifest import Manifest, Timing

Settings = Mapping[str, float | str]
#: Settings whose name in scenarios says more than in the manifest's [timing].
_TIMING = {"breaker_recovery_s": "recovery_s", "breaker_failure_threshold": "failure_threshold"}


def translate(settings: Settings, manifest: Manifest) -> dict[str, str]:
    """The settings that reach the target, as its variables. An empty name means that a setting follows from others."""
    return {manifest.settings[name]: f"{value}" for name, value in settings.items() if manifest.settings.get(name)}


def not_taken(settings: Settings, manifest: Manifest) -> dict[str, float | str]:
    """The settings that do not reach the target: its [settings] has no variable for them."""
    return {name: value for name, value in settings.items() if name not in manifest.settings}


def judged_by(manifest: Manifest, settings: Settings) -> Timing:
    """The timing that the checks judge by: the manifest's own, but for each setting that reaches the target."""
    timing = msgspec.structs.asdict(manifest.timing)
    reached = {_TIMING.get(name, name): value for name, value in settings.items() if name in manifest.settings}
    return msgspec.convert({name: reached.get(name, value) for name, value in timing.items()}, Timing, strict=False)
