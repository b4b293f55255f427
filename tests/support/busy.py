"""Runs on a machine that other tests keep busy."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shaketable.checks import CHECKS, Verdict
from shaketable.checks.verdict import VerdictDoc


def too_busy(run: Path) -> bool:
    """Whether a run is unknown for one reason alone: the machine was too busy to attribute times to the target.

    The harness sent late, or a check that judges times would have failed, and counts for nothing on such a machine.
    """
    doc = msgspec.json.decode((run / "verdict.json").read_bytes(), type=VerdictDoc)
    settled = (Verdict.PASSED, Verdict.NOT_APPLICABLE)
    undecided = [name for name, judged in doc.checks.items() if judged.required and judged.verdict not in settled]
    return (
        doc.verdict is Verdict.UNKNOWN
        and all(why.startswith("the harness sent late") for why in doc.reasons)
        and all(getattr(CHECKS.kinds()[name], "by_the_clock", False) for name in undecided)
        and all("; but " in doc.checks[name].why for name in undecided)
    )
