"""The monitor: the main thread's look at a run, several times a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shaketable.checks.kinds.health_honest import WELL
from shaketable.checks.kinds.incarnation import CLOSED
from shaketable.clock import SECOND, Clock
from shaketable.evidence.backlog import Backlog, Counts
from shaketable.evidence.probe import Probe
from shaketable.evidence.recorder import Recorder
from shaketable.faults.injector import Injector
from shaketable.load.locust_process import LocustProcess
from shaketable.runner.journal import PhaseJournal
from shaketable.runner.liveness import Liveness
from shaketable.runner.progress import Reporter, Status
from shaketable.stack.log_bound import LogBound
from shaketable.target import breaker_log
from shaketable.target.target import Target
from shaketable.target.transitions import FILE, last_state

#: Seconds between two looks.
EVERY_S = 0.1
#: Seconds after which resends in drain no longer wait for an empty queue: it may never be.
DRAINED_S = 5.0


@dataclass(frozen=True)
class Monitor:
    """Looks at all parts of a run: restarts a process of the target that died, raises errors of threads, reports."""

    reporter: Reporter
    journal: PhaseJournal
    logs: LogBound
    alive: Liveness
    recorders: Sequence[Recorder]
    target: Target
    injector: Injector
    probe: Probe
    load: LocustProcess
    scheduled: int  # events
    state: Path  # the folder of the target's state
    clock: Clock

    def look(self, phase: str, left_s: float | None = None, counts: Counts | None = None) -> None:
        """Look once. Raises the error of any part."""
        for name in self.target.revive():
            self.reporter.print(f"{name} died by itself: see logs/{name}.log")
        self.check_parts()
        self.injector.raise_error()
        for recorder in self.recorders:
            recorder.raise_error()
        seen, sent = self.probe.latest, self.load.progress()
        status = Status(
            phase,
            left_s,
            self.scheduled,
            sent.acknowledged,
            counts.stored if counts else seen.get("stored"),
            counts.queue if counts else seen.get("queue"),
            seen.get("health"),
            seen.get("breaker"),
            self.injector.active(),
            self._breakers(),
        )
        self.reporter.update(status)

    def until(self, at: int, phase: str, end: int) -> None:
        """Look until `at`; `end` is when the load ends. Both in monotonic ns."""
        while (now := self.clock.now()) < at:
            self.look(phase, (end - now) / SECOND)
            self.clock.sleep(min(EVERY_S, (at - now) / SECOND))

    def until_load_ends(self, deadline: int, backlog: Backlog) -> None:
        """Look until the last resend was answered, at most until the deadline.

        Resends in drain go once the queue is empty and two looks saw no change, or after DRAINED_S.
        """
        released, last = self.clock.now() + int(DRAINED_S * SECOND), None
        while not (sent := self.load.progress()).done and (now := self.clock.now()) < deadline:
            counts = backlog.counts()
            if now >= released or (not counts.queue and (counts, sent.attempts) == last):
                self.load.target_drained()
            last = counts, sent.attempts
            self.look("resend", None, counts)
            self.clock.sleep(EVERY_S)

    def check_parts(self) -> None:
        """Record the logs that were cut. Raises UnexpectedFailure when a process of the harness has failed."""
        for name in self.logs.newly_cut():
            self.reporter.print(f"logs/{name} grew too long and was cut")
            self.journal.log_cut(name)
        self.alive.raise_error()

    def well(self) -> bool:
        """Whether every breaker is closed and the health is good, as far as the target claims them."""
        claims, health = self.target.manifest.capabilities, self.probe.latest.get("health")
        closed = not claims.breaker or all(state.upper() == CLOSED for state in self._breakers().values())
        return closed and (not claims.health or (isinstance(health, int | float) and health > WELL))

    def _breakers(self) -> dict[str, str]:
        """The last state of each process's breaker."""
        found = {name: last_state(self.state / name / FILE) for name in self.target.instances}
        if (breaker := self.target.manifest.breaker) is not None:
            found |= {
                name: breaker_log.last_state(breaker, self.state.with_name("logs") / f"{name}.log") for name in found
            }
        return {name: state for name, state in found.items() if state}
