"""The transitions of a breaker: one JSON line each, on disk before the transition takes effect."""

import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reference_impl import log

FILE = "transitions.jsonl"
#: The number of transitions served at /breaker/transitions.
REMEMBERED = 1000


class Transition(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One change of state. A gap in `seq` is a transition that could not be written."""

    process: str
    incarnation: str
    seq: int
    from_: str | None
    to: str
    at: datetime
    monotonic_ns: int
    reason: str


class Transitions:
    """The transitions of one process, appended to STATE_DIR/transitions.jsonl."""

    def __init__(self, state_dir: str, process: str, incarnation: str) -> None:
        self._path, self._names, self._count = Path(state_dir) / FILE, (process, incarnation), 0
        self.seen: deque[Transition] = deque(maxlen=REMEMBERED)

    def record(self, before: str | None, after: str, reason: str) -> None:
        """Write one transition. A disk that refuses the write delays nothing and leaves a gap in `seq`."""
        at, monotonic_ns = datetime.now(UTC), time.monotonic_ns()
        transition = Transition(*self._names, self._count, before, after, at, monotonic_ns, reason)
        self._count += 1
        self.seen.append(transition)
        log.info("breaker", **{"from": before, "to": after, "reason": reason})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab", buffering=0) as file:  # in one write: a SIGKILL leaves the whole line or nothing
                file.write(msgspec.json.encode(transition) + b"\n")
        except OSError as e:
            log.warning("a transition could not be written", errno=e.errno)
