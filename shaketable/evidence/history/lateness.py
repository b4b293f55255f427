"""How late first attempts were, and whose fault it was."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shaketable.evidence.history.columns import Ints
from shaketable.evidence.history.history import History


def harness_lateness(history: History) -> pd.Series[int]:
    """Nanoseconds of each first attempt that the harness lost: late while users were free.

    What waited for a free user is the target's slowness and counts only until it was handed out; what was held back
    behind an earlier event of its organization was not due before.
    """
    first = history.attempts[history.attempts.resent == ""]
    sent = first.emitted.where(first.queued, first.invoked_at)
    return (sent - first.due - first.held).clip(lower=0)


def lost_by_harness(history: History) -> Ints:
    """The same by event; 0 for one that was never sent."""
    assert history.events is not None
    lost = np.zeros(len(history.events), dtype=np.int64)
    lost[history.attempts.event[history.attempts.resent == ""].to_numpy()] = harness_lateness(history).to_numpy()
    return lost


def intake_latency(history: History) -> pd.Series[int]:
    """Nanoseconds from the intended time of each acknowledged event to its first acknowledgement."""
    assert history.events is not None
    acknowledged = history.events[history.events.outcome == "acknowledged"]
    return acknowledged.first_acknowledged - acknowledged.due
