"""The catalogue of faults: one file each, one line each here; packages may add theirs by the entry point below."""

from __future__ import annotations

from shaketable.fault import Fault
from shaketable.faults.bandwidth import Bandwidth
from shaketable.faults.commit_reply_lost import CommitReplyLost
from shaketable.faults.cpu_pressure import CpuPressure
from shaketable.faults.down import Down
from shaketable.faults.enqueue_reply_lost import EnqueueReplyLost
from shaketable.faults.fail_next import FailNext
from shaketable.faults.flaky import Flaky
from shaketable.faults.kill import Kill
from shaketable.faults.latency import Latency
from shaketable.faults.limit_data import LimitData
from shaketable.faults.pause import Pause
from shaketable.faults.reject_rows import RejectRows
from shaketable.faults.reset import Reset
from shaketable.faults.restart import Restart
from shaketable.faults.silence import Silence
from shaketable.faults.slicer import Slicer
from shaketable.faults.terminate import Terminate
from shaketable.registry import Registry

#: Faults by kind. Other packages register theirs under the entry point group of this name.
FAULTS: Registry[Fault] = Registry(
    "shaketable.faults",
    "fault",
    [
        Slicer,
        Silence,
        Reset,
        LimitData,
        Flaky,
        EnqueueReplyLost,
        CommitReplyLost,
        Bandwidth,
        CpuPressure,
        Down,
        FailNext,
        Kill,
        Latency,
        Pause,
        RejectRows,
        Restart,
        Terminate,
    ],
)

__all__ = [
    "FAULTS",
    "Bandwidth",
    "CommitReplyLost",
    "CpuPressure",
    "Down",
    "EnqueueReplyLost",
    "FailNext",
    "Flaky",
    "Kill",
    "Latency",
    "LimitData",
    "Pause",
    "RejectRows",
    "Reset",
    "Restart",
    "Silence",
    "Slicer",
    "Terminate",
]
