"""All errors that shaketable raises; a message names the expected value, the value found and the remedy."""

from __future__ import annotations

import errno
from collections.abc import Sequence

#: The terminal has hung up, or the reader of a pipe has ended.
UNREAD = (errno.EIO, errno.EPIPE)


class ShaketableError(Exception):
    """Base class; the command line exits with `exit_code`."""

    exit_code = 255


class InputError(ShaketableError):
    """The user's input cannot be used: an argument, a scenario, a manifest or a run directory."""

    exit_code = 254


class ScenarioError(InputError):
    """A scenario cannot be loaded, or contradicts itself."""


class ManifestError(InputError):
    """A target's manifest does not follow the contract."""


class RunDirError(InputError):
    """The folder is not a run directory, or lacks a required file."""


class ToolchainMissing(InputError):
    """A program needed to build a target's environment is not installed; `compare` skips the target and reports it."""


class NotPlayable(ScenarioError):
    """A scenario needs something that this machine or stack lacks; among several scenarios it is skipped."""


class ServiceMissing(NotPlayable):
    """The target has no such service, or no intake, for a fault to break; `compare` skips the cell and reports it."""


class HarnessError(ShaketableError):
    """The harness failed: a server does not start, or a proxy does not answer."""


class ServerUnavailable(HarnessError):
    """One of the harness's servers does not answer in time, answers with an error, or has lost its configuration."""


class LoadEnded(HarnessError):
    """The load generator ended before its schedule was played."""

    def __init__(self, message: str, code: int, log: str = "locust") -> None:
        super().__init__(message)
        self.code, self.log = code, log


class UnexpectedFailure(HarnessError):
    """A process of the harness failed although no fault caused it; `failures` holds one sentence each."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__("; ".join(failures))
        self.failures = tuple(failures)


class TargetError(ShaketableError):
    """The target could not be started: a process exited, or did not become ready."""


class Interrupted(ShaketableError):
    """The run received SIGINT (Ctrl-C) or SIGTERM."""


def unread(error: BaseException) -> bool:
    """Whether the error means that nobody reads the output any more; rich then ends the process by SystemExit."""
    gone = isinstance(error, OSError) and error.errno in UNREAD and not error.filename
    return gone or isinstance(error, SystemExit)
