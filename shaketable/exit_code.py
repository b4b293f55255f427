"""Describe how a process ended."""

from __future__ import annotations

import signal


def ended(code: int) -> str:
    """Return "ended with exit code 3" or "was killed by SIGKILL"."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
