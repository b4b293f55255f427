"""Malformed events are refused, well-formed ones are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shaketable.checks.check import Anomaly, Column, Finding, Verdict
from shaketable.checks.kinds.findings import counts, failing, members, not_applicable, unknown
from shaketable.load.outcome import FOR_NOW

if TYPE_CHECKING:
    import pandas as pd

    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History

#: Most shapes in a sentence.
SHAPES = 3
#: Answers by which a server says that it, or its time, was the trouble: they judge no event.
_TROUBLE = (502, 503, 504)


@dataclass(frozen=True)
class RefusesRightly:
    """Malformed events are answered with 4xx, well-formed ones are never refused permanently.

    accepted: malformed, and acknowledged by any attempt. stumbled: malformed, and answered with a 5xx other than 502,
    503 or 504. refused: well-formed, and answered with a definite refusal that is not for now (429, 503). Events that
    may be refused or stored exactly (NUL in text, numbers outside a double) are judged by neither, nor is the answer to
    other contents under an id that was acknowledged: 202 and 409 are both right.

    Evidence: the schedule has the contract's answer for every event, the journals the answers. Without an answer
    to a malformed event: unknown.

    Does not prove: that a refusal names the right member.
    """

    name: ClassVar[str] = "refuses_rightly"
    held: ClassVar[str] = "only malformed events were refused"
    anomalies: ClassVar[tuple[Anomaly, ...]] = (
        Anomaly("accepted", "accepted although malformed", "#6f7fd8", rank=140),
        Anomaly("stumbled", "malformed, answered 5xx", "#c9653a", rank=150),
        Anomaly("refused", "wrongly refused", "#5f93a8", rank=160),
    )
    columns: ClassVar[tuple[Column, ...]] = (
        Column(
            "misanswered",
            "malformed and accepted or answered with 5xx, or well-formed and refused for good",
            ("accepted", "stumbled", "refused"),
            rank=80,
        ),
    )

    def judge(self, history: History) -> Finding:
        if history.events is None:
            return unknown("schedule.jsonl is missing: nobody knows what was meant to be sent")
        expect, answers = history.events.expect, history.attempts
        malformed, wellformed = (expect == "refuse").to_numpy(), (expect == "accept").to_numpy()
        again = answers.resent == "changed"
        for_good = ~again & (answers.outcome == "refused") & (answers.status != 0) & ~answers.status.isin(FOR_NOW)
        sets = {
            "accepted": malformed & _any(history, answers.outcome == "acknowledged"),
            "stumbled": malformed & _any(history, (answers.status >= 500) & ~answers.status.isin(_TROUBLE)),
            "refused": wellformed & _any(history, for_good),
        }
        answered = _any(history, (answers.status != 0) & ~answers.status.isin((*_TROUBLE, 429)))
        found = counts(malformed=malformed & answered, wellformed=wellformed & answered, **sets)
        why = failing({name: meaning + _shapes(history, sets[name]) for name, meaning in _MEANING.items()}, found)
        if why:
            return Finding(Verdict.FAILED, found, members(history, **sets), why)
        if history.target.mix.malformed == 0 and not found["malformed"]:
            return not_applicable("the target receives no malformed events: its manifest says so under [mix]")
        if not found["malformed"]:
            return unknown("no malformed event was sent and answered, so no refusal could be judged")
        return Finding(Verdict.PASSED, found)


_MEANING = {
    "accepted": "malformed events were acknowledged",
    "stumbled": "malformed events were answered with 5xx instead of 4xx",
    "refused": "well-formed events were refused for good",
}


def _shapes(history: History, flags: Flags) -> str:
    """The commonest shapes of these events, by their hostile or malformed property; "" without a corpus."""
    assert history.events is not None
    shapes = history.contents.shapes or {}
    numbers = history.events.shape_number.to_numpy()[flags].tolist()
    found = Counter(shapes[number].why for number in numbers if number in shapes)
    told = ", ".join(f"{count:,} × {why}" for why, count in found.most_common(SHAPES))
    return f" ({told})" if told else ""


def _any(history: History, attempts: pd.Series[bool]) -> Flags:
    """Events that have at least one such attempt."""
    assert history.events is not None
    found = np.zeros(len(history.events), dtype=bool)
    found[history.attempts.event[attempts].to_numpy()] = True
    return found
