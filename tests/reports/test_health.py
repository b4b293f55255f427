from shaketable.checks.check import Verdict
from shaketable.cli.tables.health import report
from tests.support.histories import breaker, every, fault, history, probe, sent, stored

SANE = (
    fault(10, 30, "a label that is rather long, as labels go", blocks_store=True),
    probe(*every(0.2, 0, 11)),
    probe(*every(0.2, 11, 31), health=60, queue=9),
    probe(*every(0.2, 31, 100)),
    breaker((0, "CLOSED"), (12, "OPEN"), (29, "HALF_OPEN"), (30.5, "CLOSED")),
    sent("a", at=20).acknowledged(21),
    stored("a", at=31),
)


def test_score_is_told_by_phase_and_by_fault() -> None:
    told = report(history(*SANE))
    line = next(line for line in told.text.splitlines() if line.startswith("0: a label"))
    assert line.split()[-7:] == ["100", "0", "60.0", "60.0", "100.0", "9.0", "0"]
    assert told.verdict is Verdict.PASSED


def test_run_that_nobody_asked_is_unknown() -> None:
    assert report(history()).verdict is Verdict.UNKNOWN


def test_report_fits_a_hundred_columns() -> None:
    assert max(map(len, report(history(*SANE)).text.splitlines())) <= 100
