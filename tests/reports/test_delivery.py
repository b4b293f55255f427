import subprocess
import sys
from pathlib import Path

import pytest

from shaketable.check import Verdict
from shaketable.report import frames
from shaketable.report.delivery import report
from tests.histories import absent, dead, history, run_of, sent, stored, unsent

SCRIPT = Path(__file__).parents[2] / "reports" / "delivery.py"
RESENT = sent("a").acknowledged(1).again(2).acknowledged(3)
ORDERED = sent("o", at=5, ordered=True).acknowledged(6)
SANE = (RESENT, ORDERED, stored("a", 2), stored("o", 7))


def test_every_event_is_counted_in_its_class():
    table = frames.delivery(history(
        *SANE, sent("t", twin_of="a").acknowledged(1), sent("m", expect="refuse").refused(1),
        sent("e", expect="either"), unsent("u"), dead("t"), stored("a"), stored("x"), sent("l").acknowledged(1),
    ))  # fmt: skip
    assert table.scheduled.to_dict() == {
        "independent": 3, "ordered": 1, "twin": 1, "malformed": 1, "either way": 1, "never planned": 0, "all": 7,
    }  # fmt: skip
    assert table.loc["independent", ["doubled", "missing", "unsent"]].tolist() == [1, 1, 1]
    assert table.loc["twin", "dead"] == 1
    assert table.loc["never planned", ["stored", "invented"]].tolist() == [1, 1]
    assert table.loc["all", ["acknowledged", "indeterminate", "refused"]].tolist() == [4, 1, 1]


def test_rates_are_told_by_phase():
    table = frames.rates(history(*SANE))
    assert table.loc["baseline", "seconds"] == 10
    assert table.loc["baseline", "meant/s"] == 0.2
    assert table.loc["baseline", "stored/s"] == 0.2


def test_report_fits_a_hundred_columns():
    text = report(history(*SANE)).text
    assert max(map(len, text.splitlines())) <= 100
    assert "never planned" in text


def test_run_without_a_schedule_is_unknown():
    assert report(history(absent("schedule.jsonl"))).verdict is Verdict.UNKNOWN


def test_what_was_not_observed_has_no_column():
    assert "stored" not in frames.delivery(history(RESENT, absent("stored.jsonl")))


@pytest.mark.parametrize(
    ("parts", "code"), [(SANE, 0), ((*SANE, stored("x")), 1), ((RESENT,), 1), ((sent("a").refused(1),), 2)]
)
def test_script_exits_with_the_verdict(parts, code, tmp_path):
    assert _script(str(run_of(parts, tmp_path).path)).returncode == code


def test_script_exits_254_for_bad_input(tmp_path):
    for arguments in ([str(tmp_path)], [str(tmp_path / "none")], ["a", "b"], ["--odd"]):
        done = _script(*arguments)
        assert done.returncode == 254, done
        assert "Traceback" not in done.stderr
    run = run_of(SANE, tmp_path)
    (run / "target.json").write_text("{")
    assert _script(str(run.path)).returncode == 254


def test_script_explains_itself():
    done = _script("--help")
    assert (done.returncode, "RUN_DIR" in done.stdout) == (0, True)


def _script(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, timeout=60)
