"""The history of a run, in columns: what was meant, what was tried, what was kept, what went wrong meanwhile.

    facts        what the scenario asked and what the target says of itself
    clocks       both clocks: wall time turned into monotonic time
    columns      JSON lines into columns, a block at a time
    load         schedule and journals: events and attempts
    kept         stored rows, dead letters, queue
    watched      faults, sinks, probes, transitions, processes, phases, what Postgres received
    lateness     whose fault it was that something was sent or answered late
    doubts       whether the harness did its own part, so that anything can be said
    figures      how much, how fast, how soon after healing
    contents     what was sent and what is stored, event by event, read only when asked for

Times are monotonic nanoseconds unless their name says otherwise; `NEVER` is later than any of them. What was not
recorded is None, never an empty table: a check then says unknown.
"""

from shaketable.evidence.history.clocks import Clocks
from shaketable.evidence.history.columns import NEVER
from shaketable.evidence.history.history import History
from shaketable.evidence.history.inputs import ScenarioFacts, TargetFacts

__all__ = ["NEVER", "Clocks", "History", "ScenarioFacts", "TargetFacts"]
