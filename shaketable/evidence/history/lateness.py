"""The lateness of first attempts, and the harness's share of it."""

from __future__ import annotations

import numpy as np

from shaketable.evidence.history.columns import Ints
from shaketable.evidence.history.history import History


def harness_lateness(history: History) -> Ints:
    """The lateness in nanoseconds of each first attempt that the harness caused, while users were free."""
    return np.asarray(history.attempts.late.to_numpy()[(history.attempts.resent == "").to_numpy()])


def lost_by_harness(history: History) -> Ints:
    """The same by event; 0 for an unsent event."""
    assert history.events is not None
    lost = np.zeros(len(history.events), dtype=np.int64)
    lost[history.attempts.event.to_numpy()[(history.attempts.resent == "").to_numpy()]] = harness_lateness(history)
    return lost


def intake_latency(history: History) -> Ints:
    """Nanoseconds between the intended time and the first acknowledgement of each acknowledged event."""
    assert history.events is not None
    events, acknowledged = history.events, (history.events.outcome == "acknowledged").to_numpy()
    return np.asarray(events.first_acknowledged.to_numpy()[acknowledged] - events.due.to_numpy()[acknowledged])
