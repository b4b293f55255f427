from shaketable.checks.check import Verdict
from shaketable.cli.tables.breaker import report
from tests.support.histories import breaker, every, fault, history, probe, received, sunk

LIFE = breaker((0, "CLOSED"), (12, "OPEN"), (29, "HALF_OPEN"), (30.5, "CLOSED"))
SANE = (
    fault(10, 30, blocks_store=True),
    probe(*every(1, 0, 100), queue=5),
    sunk("worker-1", 11),
    received("worker-1.1", 9),
)


def test_every_stay_is_a_line_with_what_was_received_meanwhile() -> None:
    told = report(history(*SANE, LIFE))
    stay = next(line for line in told.text.splitlines() if "12.00 s" in line)
    assert stay.split() == ["worker-1.1", "12.00", "s", "OPEN", "17.0", "0", "0", "0"]
    assert told.verdict is Verdict.PASSED


def test_run_without_transitions_is_unknown() -> None:
    assert report(history(*SANE)).verdict is Verdict.UNKNOWN


def test_report_fits_a_hundred_columns() -> None:
    assert max(map(len, report(history(*SANE, LIFE, sunk("worker-1", 20))).text.splitlines())) <= 100
