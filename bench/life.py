"""A short harness that ends in the way its arguments say: `python -m bench.life RUN_ID LOGS WAY NUMBER`.

It starts a real stack and a target that hides its environment, as Valkey does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shaketable.stack import ports, process
from shaketable.stack.local import LocalStack
from shaketable.stack.process import environment
from shaketable.stack.supervisor import Supervisor

#: Purposeful instants: a function, and whether the harness dies before or after its call.
INSTANTS: dict[str, tuple[Any, str, bool]] = {
    "after-fork": (subprocess.Popen, "__init__", False),
    "before-note": (Supervisor, "_write", True),
    "after-note": (Supervisor, "_write", False),
    "before-exec": (process, "_open", True),
    "after-exec": (process, "_open", False),
}
#: A process whose environment nobody can read any more.
TARGET = ["env", "-i", "sleep", "600"]
#: Seconds that a life lasts which nobody ends.
UP_S = 0.5


def die_at(way: str, number: int) -> None:
    """Let this process be killed at the `number`th time that it passes an instant."""
    owner, name, before = INSTANTS[way]
    call: Callable[..., Any] = getattr(owner, name)
    left = [number]

    def dying(*given: Any, **named: Any) -> Any:
        left[0] -= 1
        if before and left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        value = call(*given, **named)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    setattr(owner, name, dying)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def live(run_id: str, logs: Path, way: str, number: int) -> None:
    """One life."""
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    if way in INSTANTS:
        die_at(way, number)
    ours = Supervisor(run_id)
    try:
        with ports.reserve() as block, LocalStack(run_id, block, ours, logs, _silent) as stack:
            print(block.base, ours._process.pid, flush=True)
            stack.launch("target", TARGET, environment(logs), logs, logs / "target.log")
            if way == "database-killed":
                stack.server("postgres").kill()
                os.kill(os.getpid(), signal.SIGKILL)
            if way == "database-killed-twice":
                stack.server("postgres").kill()
                stack.server("postgres").bring_back()
                stack.server("postgres").kill()
            time.sleep(UP_S)
    finally:
        ours.close()


def _silent(_: str) -> None:
    """What the stack has to say is not shown."""


def main() -> None:
    """Live, and say nothing of an interrupt."""
    run_id, logs, way, number = sys.argv[1:]
    try:
        live(run_id, Path(logs), way, int(number))
    except KeyboardInterrupt:
        sys.exit(255)


if __name__ == "__main__":
    main()
