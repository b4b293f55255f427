"""SIGTERM is heard: each process ends by itself within its grace."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from shaketable.doctor.line import Line, ok, wrong
from shaketable.doctor.visit import Visit


def lines(visit: Visit) -> Iterator[Line]:
    """Workers first, as a run ends."""
    for name in reversed(visit.target.instances):
        instance = visit.target.instances[name]
        if instance.child is None:
            continue
        what = f"{name} ends at SIGTERM"
        if (code := instance.child.poll()) is not None:
            yield wrong(what, f"it had died by itself with exit code {code} ({visit.words(name)})",
                        "it must go on until it is asked to end", "How it is started")  # fmt: skip
            continue
        began = visit.clock.now()
        visit.target.stop(name)
        took, grace = (visit.clock.now() - began) / 1e9, instance.kind.stop_s
        if instance.child.poll() == -signal.SIGKILL:
            yield wrong(what, f"not within stop_s = {grace:g} s, so it was killed", "end, or raise stop_s",
                        "How it is started")  # fmt: skip
        else:
            yield ok(what, f"after {took:.1f} s of {grace:g}")
