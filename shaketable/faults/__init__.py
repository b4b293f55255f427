"""The faults, and the names for a fault of your own: `Fault`, `LinkFault`, `ToxicFault`, `FaultContext`, `Witness`.

Each fault is one file in `kinds` and one line here; other packages add theirs by the entry point below. `fault` is the
protocol, `context` and `run_processes` carry it out, `timeline` and `random_timeline` say when a fault is active,
`injector` plays them, and `round_trip`, `throughput` and `sink` measure whether it landed. Import public names from
`shaketable.faults` alone: its modules may change in any release.
"""

from __future__ import annotations

from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.kinds.bandwidth import Bandwidth
from shaketable.faults.kinds.client_pause import ClientPause
from shaketable.faults.kinds.clocks.clock_drift import ClockDrift
from shaketable.faults.kinds.clocks.clock_step import ClockStep
from shaketable.faults.kinds.commit_reply_lost import CommitReplyLost
from shaketable.faults.kinds.cpu_pressure import CpuPressure
from shaketable.faults.kinds.deadlock import Deadlock
from shaketable.faults.kinds.disks.disk_full import DiskFull
from shaketable.faults.kinds.disks.failing_sync import FailingSync
from shaketable.faults.kinds.disks.power_loss import PowerLoss
from shaketable.faults.kinds.disks.slow_sync import SlowSync
from shaketable.faults.kinds.down import Down
from shaketable.faults.kinds.enqueue_reply_lost import EnqueueReplyLost
from shaketable.faults.kinds.eviction_policy import EvictionPolicy
from shaketable.faults.kinds.exhaust_connections import ExhaustConnections
from shaketable.faults.kinds.fail_next import FailNext
from shaketable.faults.kinds.flaky import Flaky
from shaketable.faults.kinds.kill import Kill
from shaketable.faults.kinds.kill_clients import KillClients
from shaketable.faults.kinds.latency import Latency
from shaketable.faults.kinds.limit_data import LimitData
from shaketable.faults.kinds.links import LinkFault, Toxic, ToxicFault, silent, slower
from shaketable.faults.kinds.links import witness as witness_links
from shaketable.faults.kinds.lock_table import LockTable
from shaketable.faults.kinds.out_of_memory import OutOfMemory
from shaketable.faults.kinds.pause import Pause
from shaketable.faults.kinds.postgres_crash import PostgresCrash
from shaketable.faults.kinds.processes import ProcessFault
from shaketable.faults.kinds.read_only import ReadOnly
from shaketable.faults.kinds.reject_rows import RejectRows
from shaketable.faults.kinds.reset import Reset
from shaketable.faults.kinds.restart import Restart
from shaketable.faults.kinds.silence import Silence
from shaketable.faults.kinds.slicer import Slicer
from shaketable.faults.kinds.terminate import Terminate
from shaketable.faults.kinds.terminate_backends import TerminateBackends
from shaketable.faults.kinds.valkey_crash import ValkeyCrash
from shaketable.faults.random_timeline import FaultChoice, RandomTimeline, choice
from shaketable.faults.timeline import At
from shaketable.registry import Registry
from shaketable.stack.stack import Service

#: Faults by kind. Other packages register theirs under the entry point group of this name.
FAULTS: Registry[Fault] = Registry(
    "shaketable.faults",
    "fault",
    [
        Bandwidth,
        ClientPause,
        ClockDrift,
        ClockStep,
        CommitReplyLost,
        CpuPressure,
        Deadlock,
        DiskFull,
        Down,
        EnqueueReplyLost,
        EvictionPolicy,
        ExhaustConnections,
        FailNext,
        FailingSync,
        Flaky,
        Kill,
        KillClients,
        Latency,
        LimitData,
        LockTable,
        OutOfMemory,
        Pause,
        PostgresCrash,
        PowerLoss,
        ReadOnly,
        RejectRows,
        Reset,
        Restart,
        Silence,
        Slicer,
        SlowSync,
        Terminate,
        TerminateBackends,
        ValkeyCrash,
    ],
)

__all__ = [
    "FAULTS",
    "At",
    "Bandwidth",
    "ClientPause",
    "ClockDrift",
    "ClockStep",
    "CommitReplyLost",
    "CpuPressure",
    "Deadlock",
    "DiskFull",
    "Down",
    "EnqueueReplyLost",
    "EvictionPolicy",
    "ExhaustConnections",
    "FailNext",
    "FailingSync",
    "Fault",
    "FaultChoice",
    "FaultContext",
    "Flaky",
    "Kill",
    "KillClients",
    "Latency",
    "LimitData",
    "LinkFault",
    "LockTable",
    "OutOfMemory",
    "Pause",
    "PostgresCrash",
    "PowerLoss",
    "ProcessFault",
    "RandomTimeline",
    "ReadOnly",
    "RejectRows",
    "Reset",
    "Restart",
    "Service",
    "Silence",
    "Slicer",
    "SlowSync",
    "Terminate",
    "TerminateBackends",
    "Toxic",
    "ToxicFault",
    "ValkeyCrash",
    "Witness",
    "choice",
    "silent",
    "slower",
    "witness_links",
]
