"""Read journals while they grow: the counts of a load so far, of one process or of several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shaketable.load import sender
from shaketable.op import Kind, Op, Outcome

#: An event's outcome is the best of its attempts: acknowledged, else indeterminate, else refused.
_BETTER = (Outcome.REFUSED, Outcome.INDETERMINATE, Outcome.ACKNOWLEDGED)


class Progress(msgspec.Struct, frozen=True):
    """The journals so far: events by the best outcome of their attempts."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    indeterminate: int = 0
    unsent: int = 0
    given_up: int = 0
    attempts: int = 0
    done: bool = False


class JournalTail:
    """Reads a growing journal, each line once."""

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._rest = path, 0, b""
        self._decode = msgspec.json.Decoder(Op).decode
        self.best: dict[str, Outcome] = {}
        self.kinds: Counter[Kind] = Counter()
        self.sent: set[str] = set()
        self.failed, self.failure = 0, ""  # attempts at which the sender failed, and the last failure
        self.start: int | None = None
        self.done: Op | None = None

    def read(self) -> JournalTail:
        """Read the lines written since the last call."""
        if not self._path.exists():
            return self
        with self._path.open("rb") as journal:
            journal.seek(self._at)
            fresh = journal.read()
        self._at += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            self._take(self._decode(line))
        return self

    def _take(self, op: Op) -> None:
        self.kinds[op.kind] += 1
        if op.kind is Kind.START:
            self.start = op.invoked_at
        elif op.kind is Kind.DONE:
            self.done = op
        elif op.kind is Kind.INTENT and op.event_id:
            self.sent.add(op.event_id)
        elif op.kind is Kind.SEND and op.event_id and op.outcome:
            if (error := op.detail.get("error")) in sender.FAILURES:
                self.failed, self.failure = self.failed + 1, f"{error} ({op.detail.get('at')})"
            self.best[op.event_id] = max(op.outcome, self.best.get(op.event_id, op.outcome), key=_BETTER.index)


class JournalTails:
    """The journals of all processes of one load; each event is in one of them."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._tails = [JournalTail(path) for path in paths]

    def read(self) -> JournalTails:
        """Read the lines written since the last call."""
        for tail in self._tails:
            tail.read()
        return self

    @property
    def start(self) -> int | None:
        """T0 in monotonic ns; None until every process has it."""
        starts = [tail.start for tail in self._tails if tail.start is not None]
        return min(starts) if len(starts) == len(self._tails) else None

    @property
    def done(self) -> list[Op]:
        """The DONE ops so far."""
        return [tail.done for tail in self._tails if tail.done is not None]

    def counts(self) -> Op | None:
        """The DONE op with the counts of all processes, and the worst of their latenesses; None before the end."""
        done = self.done
        if not done or len(done) < len(self._tails):
            return None
        numbers = [{name: value for name, value in op.detail.items() if isinstance(value, int | float)} for op in done]
        merged = {name: (max if name.endswith("_ms") else sum)(each[name] for each in numbers) for name in numbers[0]}
        return msgspec.structs.replace(done[-1], detail={**done[-1].detail, **merged})

    @property
    def all_done(self) -> bool:
        """Whether every process has ended its part of the schedule."""
        return len(self.done) == len(self._tails)

    @property
    def failed(self) -> int:
        """Attempts at which the sender failed."""
        return sum(tail.failed for tail in self._tails)

    @property
    def failure(self) -> str:
        """One of these failures."""
        return next((tail.failure for tail in self._tails if tail.failure), "")

    def acknowledged(self) -> set[str]:
        """The ids of the events acknowledged so far."""
        return {
            event_id for tail in self._tails for event_id, best in tail.best.items() if best is Outcome.ACKNOWLEDGED
        }

    def progress(self) -> Progress:
        """Counts so far."""
        best: Counter[Outcome] = Counter()
        kinds: Counter[Kind] = Counter()
        for tail in self._tails:
            best.update(tail.best.values())
            kinds.update(tail.kinds)
        return Progress(
            sent=sum(len(tail.sent) for tail in self._tails),
            acknowledged=best[Outcome.ACKNOWLEDGED],
            refused=best[Outcome.REFUSED],
            indeterminate=best[Outcome.INDETERMINATE],
            unsent=kinds[Kind.UNSENT],
            given_up=kinds[Kind.GIVE_UP],
            attempts=kinds[Kind.SEND],
            done=self.all_done,
        )
