"""Whether other programs kept the machine busy during a run, so that times say little about the target."""

from __future__ import annotations

from shaketable.evidence.history.history import History

#: A reading is contended where all cores together were this busy, and others used this share of them.
BUSY, OTHERS = 0.8, 0.2
#: A run is contended where this share of its readings is.
OFTEN = 0.1


def contended(history: History) -> str:
    """A clause that says so; "" where the machine was free, or nobody measured it."""
    probes = history.probes
    if probes is None or not {"cpu_busy", "cpu_others"} <= set(probes.columns):
        return ""
    loaded = probes[probes.cpu_others.notna()]
    hot = loaded[(loaded.cpu_busy >= BUSY) & (loaded.cpu_others >= OTHERS)]
    if len(hot) < max(1, OFTEN * len(loaded)):
        return ""
    used, often = hot.cpu_others.mean(), len(hot) / len(loaded)
    return f"other programs used {used:.0%} of this machine's CPUs while they were busy, {often:.0%} of the time"
