"""The catalogue of faults: one file each, one line each here; packages may add theirs by the entry point below."""

from __future__ import annotations

from shaketable.fault import Fault
from shaketable.faults.bandwidth import Bandwidth
from shaketable.faults.client_pause import ClientPause
from shaketable.faults.commit_reply_lost import CommitReplyLost
from shaketable.faults.cpu_pressure import CpuPressure
from shaketable.faults.deadlock import Deadlock
from shaketable.faults.down import Down
from shaketable.faults.enqueue_reply_lost import EnqueueReplyLost
from shaketable.faults.eviction_policy import EvictionPolicy
from shaketable.faults.exhaust_connections import ExhaustConnections
from shaketable.faults.fail_next import FailNext
from shaketable.faults.flaky import Flaky
from shaketable.faults.kill import Kill
from shaketable.faults.kill_clients import KillClients
from shaketable.faults.latency import Latency
from shaketable.faults.limit_data import LimitData
from shaketable.faults.lock_table import LockTable
from shaketable.faults.out_of_memory import OutOfMemory
from shaketable.faults.pause import Pause
from shaketable.faults.postgres_crash import PostgresCrash
from shaketable.faults.read_only import ReadOnly
from shaketable.faults.reject_rows import RejectRows
from shaketable.faults.reset import Reset
from shaketable.faults.restart import Restart
from shaketable.faults.silence import Silence
from shaketable.faults.slicer import Slicer
from shaketable.faults.terminate import Terminate
from shaketable.faults.terminate_backends import TerminateBackends
from shaketable.faults.valkey_crash import ValkeyCrash
from shaketable.registry import Registry

#: Faults by kind. Other packages register theirs under the entry point group of this name.
FAULTS: Registry[Fault] = Registry(
    "shaketable.faults",
    "fault",
    [
        Bandwidth,
        ClientPause,
        CommitReplyLost,
        CpuPressure,
        Deadlock,
        Down,
        EnqueueReplyLost,
        EvictionPolicy,
        ExhaustConnections,
        FailNext,
        Flaky,
        Kill,
        KillClients,
        Latency,
        LimitData,
        LockTable,
        OutOfMemory,
        Pause,
        PostgresCrash,
        ReadOnly,
        RejectRows,
        Reset,
        Restart,
        Silence,
        Slicer,
        Terminate,
        TerminateBackends,
        ValkeyCrash,
    ],
)

__all__ = [
    "FAULTS",
    "Bandwidth",
    "ClientPause",
    "CommitReplyLost",
    "CpuPressure",
    "Deadlock",
    "Down",
    "EnqueueReplyLost",
    "EvictionPolicy",
    "ExhaustConnections",
    "FailNext",
    "Flaky",
    "Kill",
    "KillClients",
    "Latency",
    "LimitData",
    "LockTable",
    "OutOfMemory",
    "Pause",
    "PostgresCrash",
    "ReadOnly",
    "RejectRows",
    "Reset",
    "Restart",
    "Silence",
    "Slicer",
    "Terminate",
    "TerminateBackends",
    "ValkeyCrash",
]
