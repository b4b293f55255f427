"""The harness's observations: faults and witnesses, sinks, probes, processes, phases, breaker transitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from shaketable import rundir
from shaketable.clock import SECOND
from shaketable.evidence.history.clocks import Clocks
from shaketable.evidence.history.columns import NEVER, blocks, table
from shaketable.evidence.history.inputs import Entry
from shaketable.op import Kind, Microseconds, Op
from shaketable.rundir import RunDir
from shaketable.target import metrics_table

#: The kind of an unplanned fault: a repair of Toxiproxy.
REPAIR = "recovery"
#: Prefix of the probes' memory columns, followed by a process's name.
MEMORY = "memory_"
#: The columns of a process's counters.
COUNTERS = metrics_table.COUNTERS
#: The largest exit code; larger than any signal number.
MOST_CODE = 255


def ops(path: Path) -> list[Op] | None:
    """The ops of one of the harness's journals; None if it does not exist."""
    return list(rundir.read_lines(path, Op)) if path.exists() else None


def pairs(ops: Sequence[Op] | None) -> list[tuple[int, int]]:
    """The clock pairs among the ops."""
    return [(o.invoked_at, int(o.detail.get("wall") or 0)) for o in ops or () if o.kind == Kind.CLOCK]


@dataclass(frozen=True)
class RecordedFault:
    """One fault of the timeline; a missing time is NEVER, a missing witness None."""

    number: int
    at_s: float  # seconds into the shake, as planned
    until_s: float
    label: str
    spec: dict[str, Any]  # kind and fields
    blocks_store: bool = False
    blocks_intake: bool = False
    began: int = NEVER
    in_effect: int = NEVER
    heal_began: int = NEVER
    healed: int = NEVER
    landed: bool | None = None
    figure: float | None = None
    unit: str = ""
    text: str = ""
    colour: str = ""  # "" in older runs


def faults(ops: Sequence[Op] | None, timeline: Sequence[Entry], shake: int | None = None) -> tuple[RecordedFault, ...]:
    """Every fault of the timeline by number, then the repairs of Toxiproxy, which cut connections unplanned."""
    planned = [
        _fault(number, entry, [o for o in ops or () if o.detail.get("fault") == number])
        for number, entry in enumerate(timeline)
    ]
    mended = [o for o in ops or () if o.kind == Kind.REPAIR]
    return (*planned, *(_recovery(number, o, shake) for number, o in enumerate(mended, len(planned))))


def _recovery(number: int, o: Op, shake: int | None) -> RecordedFault:
    """A repair as a fault; it may have cut the clients' connections, so it may block the intake."""
    ended, zero = _ended(o), o.invoked_at if shake is None else shake
    at_s, until_s = round((o.invoked_at - zero) / SECOND, 1), round((ended - zero) / SECOND, 1)
    how = "was restarted" if o.detail.get("how") == "restarted" else f"cut {o.detail.get('proxy')}"
    return RecordedFault(
        number,
        at_s,
        until_s,
        f"Toxiproxy had wedged and {how}",
        {"kind": REPAIR},
        blocks_intake=True,
        began=o.invoked_at,
        in_effect=o.invoked_at,
        heal_began=ended,
        healed=ended,
        landed=True,
        text=f"a client of {o.detail.get('proxy')} did not read; connections were cut",
    )


def _fault(number: int, entry: Entry, ops: list[Op]) -> RecordedFault:
    injected, healed = _last(ops, Kind.INJECT), _last(ops, Kind.HEAL)
    seen = [o for o in ops if o.kind == Kind.WITNESS]
    best = max((o for o in seen if o.detail.get("landed")), key=_figure, default=seen[-1] if seen else None)
    told, of_it = best.detail if best else {}, ops[0].detail if ops else {}
    return RecordedFault(
        number,
        entry.at_s,
        entry.until_s,
        entry.label,
        entry.fault,
        bool(of_it.get("blocks_store")),
        bool(of_it.get("blocks_intake")),
        injected.invoked_at if injected else NEVER,
        _ended(injected),
        healed.invoked_at if healed else NEVER,
        _ended(healed),
        bool(told.get("landed")) if best else None,
        _figure(best) if best and "figure" in told else None,
        str(told.get("unit", "")),
        str(told.get("text", "")),
        entry.colour,
    )


def _figure(o: Op) -> float:
    """The figure of a witness op; the largest one counts, since some figures grow while a fault is active."""
    figure = o.detail.get("figure")
    return float(figure) if isinstance(figure, int | float) else 0.0


def _last(ops: list[Op], kind: Kind) -> Op | None:
    return next((o for o in reversed(ops) if o.kind == kind), None)


def _ended(o: Op | None) -> int:
    if o is None:
        return NEVER
    return o.invoked_at if o.ended_at is None else o.ended_at


def sinks(ops: Sequence[Op] | None) -> pd.DataFrame | None:
    """One row per connection attempt that a sink accepted: time, process, service."""
    if ops is None:
        return None
    rows = [
        (o.invoked_at, str(o.detail.get("process")), o.detail.get("by"), str(o.detail.get("service")))
        for o in ops
        if o.kind == Kind.SINK
    ]
    return pd.DataFrame(rows, columns=["time", "process", "by", "service"], dtype=object).astype({"time": np.int64})


_PROBE = ("answered", "health", "breaker", "queue", "dead", "depth", "stored")


def probes(ops: Sequence[Op] | None) -> pd.DataFrame | None:
    """One row per reading, with its begin (`time`) and end; missing values are NaN."""
    if ops is None:
        return None
    seen = sorted((o for o in ops if o.kind == Kind.PROBE), key=lambda o: o.invoked_at)
    rows = pd.DataFrame([dict(o.detail) for o in seen], index=range(len(seen)))
    rows = rows.reindex(columns=[*_PROBE, *(c for c in rows.columns if c not in _PROBE)])
    rows.insert(0, "time", np.array([o.invoked_at for o in seen], dtype=np.int64))
    for name in rows.columns.difference(["time", "answered", "breaker"]):
        rows[name] = pd.to_numeric(rows[name], errors="coerce").astype(float)
    rows.insert(1, "ended", np.array([_ended(o) for o in seen], dtype=np.int64))
    return rows.assign(answered=[o.detail.get("answered") is True for o in seen])


def counters(ops: Sequence[Op] | None) -> pd.DataFrame | None:
    """One row per reading of a process's counters: its end (`time`), process and incarnation; None if never read."""
    seen = [o for o in ops or () if o.kind == Kind.COUNTERS]
    if not seen:
        return None
    rows = [(_ended(o), o.process, str(o.detail.get("incarnation")), *map(o.detail.get, COUNTERS)) for o in seen]
    found = pd.DataFrame(rows, columns=["time", "process", "incarnation", *COUNTERS], dtype=object)
    for name in COUNTERS:
        found[name] = pd.to_numeric(found[name], errors="coerce").astype(float)
    return found.astype({"time": np.int64})


def processes(ops: Sequence[Op] | None) -> pd.DataFrame | None:
    """Starts and exits of the target's processes, in order."""
    if ops is None:
        return None
    rows = [
        (
            o.invoked_at,
            o.process,
            str(o.detail.get("incarnation")),
            o.kind == Kind.START_PROCESS,
            bool(o.detail.get("asked")),
            _code(o.detail.get("code")),
        )
        for o in ops
        if o.kind in (Kind.EXIT, Kind.START_PROCESS)
    ]
    found = pd.DataFrame(rows, columns=["time", "process", "incarnation", "started", "asked", "code"], dtype=object)
    return found.astype({"time": np.int64, "started": bool, "asked": bool})


def _code(told: Any) -> int | None:
    """An exit code; None for an invalid value."""
    return told if isinstance(told, int) and not isinstance(told, bool) and abs(told) <= MOST_CODE else None


def phases(ops: Sequence[Op] | None) -> dict[str, int]:
    """The start time of each phase; a missing phase was not reached."""
    found: dict[str, int] = {}
    for o in ops or ():
        if o.kind == Kind.PHASE:
            found.setdefault(str(o.detail.get("name")), o.invoked_at)
    return found


def failures(ops: Sequence[Op] | None) -> tuple[str, ...]:
    """Unexpected failures of the harness's processes."""
    return tuple(str(o.detail.get("text")) for o in ops or () if o.kind == Kind.FAILURE)


class _Transition(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """A transition as the target wrote it: members may be missing or have another type."""

    process: Any = None
    incarnation: Any = None
    seq: Any = None
    from_: Any = None
    to: Any = None
    monotonic_ns: Any = None
    reason: Any = None


def transitions(run: RunDir) -> pd.DataFrame | None:
    """All transitions, sorted by process, incarnation and number; -1 for an invalid number."""
    if not run.has(rundir.TRANSITIONS):
        return None
    rows = [
        (
            str(t.process),
            str(t.incarnation),
            _whole(t.seq),
            _state(t.from_),
            _state(t.to),
            _whole(t.monotonic_ns),
            str(t.reason),
        )
        for t in rundir.read_lines(run / rundir.TRANSITIONS, _Transition)
    ]
    columns = ["process", "incarnation", "seq", "from_", "to", "time", "reason"]
    found = pd.DataFrame(rows, columns=columns, dtype=object).astype({"time": np.int64, "seq": np.int64})
    return found.sort_values(["process", "incarnation", "seq"], ignore_index=True)


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**62 else -1


def _state(value: Any) -> str | None:
    return None if value is None else str(value).upper().replace("-", "_")


class _Received(msgspec.Struct, frozen=True, gc=False):
    at_us: Microseconds
    by: str = ""
    what: str = ""
    ms: float = 0.0  # duration of a statement, which is logged at its end


def received(run: RunDir, clocks: Clocks) -> pd.DataFrame | None:
    """Sessions and statements at Postgres by application name; `time` is a statement's start. None without its log."""
    if not run.has(rundir.RECEIVED):
        return None
    rows = table(
        blocks(run / rundir.RECEIVED, _Received),
        {"at_us": lambda r: r.at_us - int(r.ms * 1000), "by": lambda r: r.by, "what": lambda r: r.what},
        by=object,
        what=object,
    )
    return rows.assign(time=clocks.to_monotonic(rows.at_us.to_numpy())).drop(columns="at_us")
