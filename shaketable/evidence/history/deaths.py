"""Unexpected exits of the target's processes: cause, number, and whether the process was restarted."""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.evidence.history.history import History
from shaketable.exit_code import ended


def deaths(history: History) -> list[str]:
    """A sentence for each process that exited unexpectedly; those that were not restarted come first."""
    return [text for _, text in sorted(_told(history))]


def _told(history: History) -> Iterator[tuple[bool, str]]:
    """Whether the process was restarted, and the sentence."""
    if history.processes is None:
        return
    for name, rows in history.processes.groupby("process", sort=True):
        died = rows[~rows.started & ~rows.asked]
        if len(died):
            again = bool(rows.started.iloc[-1])
            times = "once" if len(died) == 1 else f"{len(died)} times"
            how = "" if (code := died.code.iloc[-1]) is None else f" (it {ended(code)})"
            end = "was started again" if again else "did not come back"
            yield again, f"{name} died by itself {times}{how} and {end}: see logs/{name}.log"
