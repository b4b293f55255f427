"""The lateness of first attempts, and the harness's share of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from shaketable.evidence.history.columns import Ints
from shaketable.evidence.history.history import History


def harness_lateness(history: History) -> pd.Series[int]:
    """The lateness in nanoseconds of each first attempt that the harness caused, while users were free."""
    return history.attempts.late[history.attempts.resent == ""]


def lost_by_harness(history: History) -> Ints:
    """The same by event; 0 for an unsent event."""
    assert history.events is not None
    lost = np.zeros(len(history.events), dtype=np.int64)
    lost[history.attempts.event[history.attempts.resent == ""].to_numpy()] = harness_lateness(history).to_numpy()
    return lost


def intake_latency(history: History) -> pd.Series[int]:
    """Nanoseconds between the intended time and the first acknowledgement of each acknowledged event."""
    assert history.events is not None
    acknowledged = history.events[history.events.outcome == "acknowledged"]
    return acknowledged.first_acknowledged - acknowledged.due
