"""Deliveries whose answer a fault took away from the deliverer: at least once then means to deliver again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER, count
from shaketable.evidence.history.persisted import NONE

if TYPE_CHECKING:
    from shaketable.evidence.history import History
    from shaketable.evidence.history.columns import Ints
    from shaketable.evidence.history.observations import RecordedFault

#: The services of the links to the harness's receiver, and of the clients' links to the intake.
OUTBOUND, INGEST = "outbound", "ingest"
#: The kinds of faults that end or freeze a process with a delivery in flight.
ON_PROCESSES = frozenset({"kill", "pause", "restart", "terminate"})
#: Seconds before a fault began in which a delivery was received and its answer may still have been in flight.
IN_FLIGHT_S = 1


def answers_lost(history: History) -> tuple[Ints, Ints]:
    """How many deliveries of each event, but for the last, lost their answers to a witnessed fault, or may have.

    Only a target that delivers to the harness's receiver has any: the receiver records a delivery, then answers it. A
    fault on the links to the receiver, or on a process that delivers, takes the answers in flight. It may take those of
    a batch that is not over, and any fault on a service may take the note that a delivery is done: of deliveries up to
    a lease or an attempt before the fault or after its healing nobody knows.
    """
    assert history.events is not None
    assert history.stored is not None
    events = len(history.events)
    if history.target.outbound is None:
        return np.zeros(events, dtype=np.int64), np.zeros(events, dtype=np.int64)
    rows = history.stored[(history.stored.event >= 0) & (history.stored.committed_at != NONE)]
    rows = rows.sort_values(["event", "committed_at"])
    repeated = rows[rows.event.duplicated(keep="last")]
    times = history.clocks.to_monotonic(repeated.committed_at.to_numpy())
    lost, maybe = np.zeros(len(repeated), dtype=bool), np.zeros(len(repeated), dtype=bool)
    near = int(max(history.timing.lease_s, history.timing.attempt_timeout_s, IN_FLIGHT_S) * SECOND)
    for fault in history.faults:
        if fault.landed is not True or fault.began == NEVER:
            continue
        if _takes_answers(history, fault):
            lost |= (times >= fault.began - IN_FLIGHT_S * SECOND) & (times <= fault.healed)
        if _takes_answers(history, fault) or _takes_notes(history, fault):
            maybe |= (times >= fault.began - near) & (times <= min(fault.healed, NEVER - near) + near)
    number = repeated.event.to_numpy()
    return count(number[lost], events), count(number[lost | maybe], events)


def _takes_answers(history: History, fault: RecordedFault) -> bool:
    """Whether it breaks the links to the receiver, or ends or freezes a process that delivers."""
    if fault.spec.get("kind") in ON_PROCESSES:
        return _is_aimed_at_deliverers(history, fault)
    return fault.spec.get("service") == OUTBOUND


def _takes_notes(history: History, fault: RecordedFault) -> bool:
    """Whether it disturbs a service, or all links, that a process which delivers may use."""
    of_process = bool(fault.spec.get("process"))
    if fault.spec.get("service") == INGEST or (of_process and not fault.spec.get("service")):
        return False
    return not of_process or _is_aimed_at_deliverers(history, fault)


def _is_aimed_at_deliverers(history: History, fault: RecordedFault) -> bool:
    """All processes but the intake deliver; of a target that is one kind of process, that one."""
    kinds, intake = history.target.process, history.target.ingest.process
    deliverers = [kind for kind in kinds if kind.name != intake] or kinds
    return any(history.is_aimed_at(fault, name) for kind in deliverers for name in kind.instances())
