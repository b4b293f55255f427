"""Whether other programs kept the machine busy during a run, so that times say little about the target."""

from __future__ import annotations

from dataclasses import dataclass

from shaketable.evidence.history.history import History

#: A reading is contended where all cores together were this busy, and others used this share of them.
BUSY, OTHERS = 0.8, 0.2
#: A run is contended where this share of its readings is.
OFTEN = 0.1
#: Where others used more than this on average, too little may have been left for the target's work.
MOST = 0.5


@dataclass(frozen=True)
class Contention:
    """The share of the CPUs that others used while all were busy, and the share of the run's time that this was."""

    used: float
    often: float

    def __str__(self) -> str:
        used = f"other programs used {self.used:.0%} of this machine's CPUs while they were busy"
        return f"{used}, {self.often:.0%} of the time"


def contended(history: History) -> Contention | None:
    """How it was; None where the machine was free, or nobody measured it."""
    probes = history.probes
    if probes is None or not {"cpu_busy", "cpu_others"} <= set(probes.columns):
        return None
    loaded = probes[probes.cpu_others.notna()]
    hot = loaded[(loaded.cpu_busy >= BUSY) & (loaded.cpu_others >= OTHERS)]
    if len(hot) < max(1, OFTEN * len(loaded)):
        return None
    return Contention(float(hot.cpu_others.mean()), len(hot) / len(loaded))
