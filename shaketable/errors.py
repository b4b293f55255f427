"""Every error shaketable raises on purpose: what was expected, the value that came, what to do."""

from __future__ import annotations

from collections.abc import Sequence


class ShaketableError(Exception):
    """Base of all; `exit_code` is what the command line ends with."""

    exit_code = 255


class InputError(ShaketableError):
    """What the user gave cannot be used: an argument, a scenario, a manifest, a run directory."""

    exit_code = 254


class ScenarioError(InputError):
    """A scenario that cannot be loaded or contradicts itself."""


class ManifestError(InputError):
    """A target's manifest that does not fit the contract."""


class RunDirError(InputError):
    """A folder that is no run directory, or one that lacks what is asked of it."""


class ToolchainMissing(InputError):
    """A target's own environment cannot be made here, for want of a program: `compare` skips it, and says so."""


class HarnessError(ShaketableError):
    """The harness could not do its part: a server that does not start, a proxy that does not answer."""


class ServerUnavailable(HarnessError):
    """A server of ours does not answer in time, or only that it cannot, or that it lost what was made there."""


class LoadEnded(HarnessError):
    """The load generator ended before its schedule was played."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class UnexpectedFailure(HarnessError):
    """A process of the harness's own failed, and no fault had ordered it: each failure is a sentence."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__("; ".join(failures))
        self.failures = tuple(failures)


class TargetError(ShaketableError):
    """The target could not be brought up: died at start, or never ready."""


class Interrupted(ShaketableError):
    """Somebody pressed Ctrl-C, or sent SIGTERM."""
