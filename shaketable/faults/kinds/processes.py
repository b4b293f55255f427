"""Process faults: their targets, and the locks and transactions that those held at the injection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg

from shaketable import libpq
from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds.repeat import Repeat

#: Seconds that asking Postgres may take: a fault must not wait for a server that another fault froze.
ASK_S = 2
#: Seconds that one turn may take: a process ends after its stop_s, and its next incarnation is ready after ready_s.
TURN_S = 50.0
#: Seconds between two looks at the turns.
LOOK_S = 0.02

_HELD = """
select count(*), count(*) filter (where xact_start is not null) from pg_stat_activity
where split_part(application_name, '.', 1) = any(%s)
"""


class ProcessFault(Fault):
    """`process` is one process, as worker-1, or all of a role, as worker; or a name of the target's manifest.

    A [[service]] that the harness started is one too.
    """

    process: str

    def blocks_intake(self, context: FaultContext) -> bool:
        found = context.processes.named(self.process)
        return context.processes.intake in found or context.services.queue in found

    def targets(self, context: FaultContext) -> list[str]:
        return context.processes.named(self.process)

    def ready(self, context: FaultContext) -> bool | None:
        missing = context.scratch.get(f"{self._key}.not_ready")
        return None if missing is None else not missing

    def alive(self, context: FaultContext) -> list[str]:
        """Those that are there: another fault may have taken one already."""
        return [name for name in context.processes.named(self.process) if context.processes.is_alive(name)]

    def start_missing(self, context: FaultContext) -> None:
        """Start those that are not there, and wait for each, at most ready_s; how many are not ready is noted.

        That is no error of the harness: a target that does not come back has failed, and the checks say so.
        """
        found = context.processes.named(self.process)
        for name in found:
            if not context.processes.is_alive(name):
                context.processes.start(name)
        ready = sum(context.processes.await_ready(name) for name in found)
        context.scratch[f"{self._key}.not_ready"] = float(len(found) - ready)

    def in_turn(self, context: FaultContext, action: Callable[[str], None]) -> None:
        """Do it to each of them, one after another, in a thread: ending may take long, and witnesses are due."""
        waiting = context.processes.named(self.process)

        def turn(stop: threading.Event) -> None:
            if not waiting:
                stop.wait()
                return
            try:
                action(waiting.pop(0))
            except BaseException:
                waiting.clear()
                raise
            finally:
                context.scratch[f"{self._key}.waiting"] = float(len(waiting))

        context.scratch[f"{self._key}.waiting"] = float(len(waiting))
        context.keep_open(self._key, Repeat(self._key, turn, end_s=TURN_S))

    def settle(self, context: FaultContext) -> None:
        """Wait until each has had its turn, or one has raised."""
        deadline = time.monotonic() + TURN_S * len(context.processes.named(self.process))
        while context.scratch.get(f"{self._key}.waiting") and time.monotonic() < deadline:
            time.sleep(LOOK_S)

    def end_turns(self, context: FaultContext) -> None:
        """Wait until the action on one of them is done; the others stay as they are. Raises its error."""
        context.release(self._key)

    @property
    def _key(self) -> str:
        return f"{self.kind}.{self.process}"

    def note_held(self, context: FaultContext) -> None:
        """Store how many there are now, and, where Postgres answers, the locks and transactions that they hold."""
        key, there = self._key, self.alive(context)
        context.scratch[f"{key}.met"] = float(len(there))
        try:
            session = libpq.connect(context.services.admin_url, connect_timeout=ASK_S)
            with session as connection, libpq.time_limit(connection, ASK_S):
                row = connection.execute(_HELD, [there]).fetchone()
        except (psycopg.Error, ScenarioError):  # it does not answer, or the target has none
            return
        if row:
            context.scratch[f"{key}.sessions"], context.scratch[f"{key}.transactions"] = float(row[0]), float(row[1])

    def held(self, context: FaultContext) -> str:
        """The stored figures, for the witness's text."""
        key = self._key
        sessions = context.scratch.get(f"{key}.sessions")
        if sessions is None:
            return "what they held is not known"
        return f"holding {sessions:.0f} sessions, {context.scratch[f'{key}.transactions']:.0f} of them in a transaction"


class Ending(ProcessFault):
    """A process fault that ends processes: healing starts those that are not there, and waits until they are ready."""

    def heal(self, context: FaultContext) -> None:
        try:
            self.end_turns(context)
        finally:
            self.start_missing(context)

    def witness(self, context: FaultContext) -> Witness:
        """Processes ran, and the kernel knows none any more; the text says what they held at the injection."""
        found = context.processes.named(self.process)
        ended = [name for name in found if not context.processes.is_alive(name)]
        gone = [name for name in ended if not context.processes.left(name)]
        met = int(context.scratch.get(f"{self._key}.met", 0))
        told = f"{', '.join(gone) or 'none'} gone, {self.held(context)}" if met else "met nobody"
        return Witness(met > 0 and len(gone) == len(found), len(gone) if met else 0, "processes gone", told)
