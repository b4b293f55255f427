"""The standard streams, in any state that the terminal, the locale or the shell left them in."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Mapping

#: Columns below which a terminal's width is not believed: tables and folded lines need some room.
NARROWEST = 20


def prepare() -> None:
    """Open closed streams, escape characters that the locale lacks, and ignore a useless width."""
    for number in range(3):
        _open(number)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if _too_narrow(os.environ):
        del os.environ["COLUMNS"]


def discard_unwritten() -> None:
    """Discard output that cannot be written: the interpreter would try again at its end, and then exit with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def end_on_hangup() -> None:
    """SIGHUP is an interruption, and nobody is at the terminal any more; under `nohup` it stays ignored."""
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        return
    terminals = [number for number in range(3) if os.isatty(number)]

    def hang_up(*_: object) -> None:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in terminals:  # a write to it would fail, and results would not be written
            os.dup2(nowhere, number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGHUP, hang_up)


def _open(number: int) -> None:
    """A closed descriptor would be the next file's, and the output would go into that file."""
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)


def _too_narrow(environment: Mapping[str, str]) -> bool:
    columns = environment.get("COLUMNS", "")
    return columns.isdigit() and int(columns) < NARROWEST
