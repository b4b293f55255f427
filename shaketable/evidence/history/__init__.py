"""The history of a run, in columns: schedule, attempts, stored rows and observations.

    inputs        scenario.json and target.json
    clocks        clock pairs, which convert wall time to monotonic time
    columns       JSON lines into columns, a block at a time
    load          schedule and journals: events and attempts
    persisted     stored rows, dead letters, queue
    observations  faults, sinks, probes, transitions, processes, phases, statements that Postgres received
    traces        the last stage of each event that the target's spans show
    lateness      the harness's share of a late attempt
    contention    whether other programs kept the machine busy
    validity      whether the harness itself worked, so that the run can be judged
    deaths        processes of the target that exited unexpectedly
    unreached     settings that the target does not take
    figures       amounts, rates, latencies, recovery times
    contents      sent and stored events, read on demand

Times are monotonic nanoseconds unless their name says otherwise; `NEVER` is later than any of them. Data that were not
recorded are None, never an empty table: a check then returns unknown.
"""

from shaketable.evidence.history.clocks import Clocks
from shaketable.evidence.history.columns import NEVER
from shaketable.evidence.history.history import History
from shaketable.evidence.history.inputs import ScenarioFacts, TargetFacts

__all__ = ["NEVER", "Clocks", "History", "ScenarioFacts", "TargetFacts"]
