"""A suite of somebody's: gated on shakes, told in one sentence, and none the slower for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from shaketable.checks.verdict import judge_run
from shaketable.pytest_plugin import MARK
from shaketable.results import shake as shaken
from tests.runner.test_phases import folders, left_of, run_id
from tests.support.histories import run_of, sent

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "pytest"
#: What no suite should have to import before its first test; `shaketable.run` and `history` stand for the harness.
HEAVY = {
    "bokeh",
    "gevent",
    "locust",
    "msgspec",
    "numpy",
    "pandas",
    "psycopg",
    "typer",
    "shaketable.run",
    "shaketable.evidence.history",
}
#: What is not broken needs no breaker, so nobody knows; and nothing is stored in no time.
SCENARIO = """
from shaketable.checks import CHECK
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario
SCENARIO = Scenario(story="Nothing breaks.", load=Load(rate=20, baseline_s=0.5, shake_s=0.5, recover_s=0.5),
                    checks=(CHECK(),), settings={"lease_s": 1})
"""


@pytest.mark.slow
def test_collecting_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import sys

        def pytest_collection_finish(session):
            print("loaded", *sorted(sys.modules))
    """)
    pytester.makepyfile('import pytest\n\n@pytest.mark.shake("calm")\ndef test_one(shake): ...')
    done = pytester.runpytest_subprocess("--collect-only", "-s", "--strict-markers")
    done.assert_outcomes()
    loaded = next(line for line in done.outlines if line.startswith("loaded")).split()
    assert "shaketable.pytest_plugin" in loaded
    assert HEAVY & set(loaded) == set()


@pytest.mark.parametrize(
    "mark", ["shake", "shake(3)", 'shake("calm", sed=3)', 'shake("calm", budget={"recovery_s": "10"})']
)
def test_mark_that_cannot_be_read_ends_the_session_with_how_it_is_written(pytester: pytest.Pytester, mark: str) -> None:
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.{mark}\ndef test_one(): ...")
    done = pytester.runpytest_inprocess()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*expected @pytest.mark.shake(scenario, *, target=None*got shake*"])


@pytest.mark.parametrize("place", ["test", "class"])
def test_two_marks_in_one_place_end_the_session(place: str, pytester: pytest.Pytester) -> None:
    marks = '@pytest.mark.shake("calm")\n{0}@pytest.mark.shake("poison")\n{0}'
    head = (
        marks.format("") + "class TestAll:\n    " if place == "class" else "class TestAll:\n    " + marks.format("    ")
    )
    pytester.makepyfile(f"import pytest\n\n{head}def test_one(self): ...")
    done = pytester.runpytest_inprocess()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*::test_one: expected one mark, got shake('*') and shake('*'): write a test for each"])


@pytest.mark.slow
def test_mark_of_a_test_stands_in_place_of_its_class_s(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.shake("none_of_the_class")
        class TestAll:
            @pytest.mark.shake("none_of_the_test")
            def test_one(self): ...
    """)
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["the shake none_of_the_test was not played: *"])


@pytest.mark.slow
def test_mark_of_one_case_is_no_other_case_s(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.shake("no_such")), 3])
        def test_one(n): ...
    """)
    pytester.runpytest_inprocess().assert_outcomes(passed=2, errors=1)


def test_a_test_that_asks_for_a_shake_without_a_mark_is_told_how(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(shake): ...")
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["expected @pytest.mark.shake(scenario, *) on a test that asks for `shake`"])


@pytest.mark.slow
def test_a_scenario_that_is_none_is_an_error_in_one_sentence_and_tried_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        pytestmark = pytest.mark.shake("no_such")

        def test_one(): ...
        def test_two(shake): ...
    """)
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(errors=2)
    done.stdout.fnmatch_lines(["the shake no_such was not played: no scenario is called 'no_such': *"])
    done.stdout.no_fnmatch_line("*Traceback*")


def test_a_verdict_that_failed_says_which_check_and_why_and_where_the_run_is(tmp_path: Path) -> None:
    run = run_of([sent("a").acknowledged(1)], tmp_path)
    doc = judge_run(run)
    found = shaken.read(run.path)
    assert (found.verdict, found.passed, found.checks.keys()) == (doc.verdict, False, doc.checks.keys())
    assert found.checks["no_loss"].members == {**doc.checks["no_loss"].members}
    assert str(run.path) in str(found)


def test_options_are_found_where_people_look(pytester: pytest.Pytester) -> None:
    done = pytester.runpytest_inprocess("--help")
    done.stdout.fnmatch_lines(["*--shake-runs=PATH*", "*--shake-target=PATH*", "*shake_runs (string)*"])
    pytester.runpytest_inprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.shake(scenario, *"])


def test_the_page_shows_the_example_and_names_every_option() -> None:
    page = (ROOT / "docs" / "pytest.md").read_text()
    assert f"```python\n{(EXAMPLE / 'test_pipeline.py').read_text()}```" in page
    assert f"`@pytest.mark.{MARK}`" in page
    assert all(f"`--shake-{name}" in page and f"`shake_{name}" in page for name in ("runs", "target"))


@pytest.mark.nightly
def test_the_example_passes_and_tests_that_are_marked_alike_share_a_run(pytester: pytest.Pytester) -> None:
    for each in ("pytest.ini", "brief_outage.py", "test_pipeline.py"):
        (pytester.path / each).write_text((EXAMPLE / each).read_text())
    done = pytester.runpytest_subprocess("--junitxml=junit.xml")
    done.assert_outcomes(passed=2)
    (run,) = [path for path in (pytester.path / "runs").iterdir() if not path.is_symlink()]
    done.stdout.fnmatch_lines(["*= shakes =*", f"brief_outage passed: {run}"])
    told = [each.attrib["value"] for each in ElementTree.parse(pytester.path / "junit.xml").iter("property")]
    assert told == ["brief_outage passed", str(run)] * 2


@pytest.mark.nightly
def test_failed_and_unknown_fail_a_test_unless_it_gates_by_itself(pytester: pytest.Pytester) -> None:
    (pytester.path / "hasty.py").write_text(SCENARIO.replace("CHECK", "LatencyBudget"))
    (pytester.path / "calm_breaker.py").write_text(SCENARIO.replace("CHECK", "BreakerBehaves"))
    pytester.makepyfile("""
        import pytest

        @pytest.mark.shake("hasty.py", budget={"freshness_p99_s": 0.0001})
        def test_failed(): ...

        @pytest.mark.shake("calm_breaker.py")
        def test_unknown(shake): ...

        @pytest.mark.shake("hasty.py", budget={"freshness_p99_s": 0.0001}, gate=False)
        def test_that_looks_for_itself(shake):
            assert (shake.verdict, shake.checks["latency_budget"].verdict) == ("failed", "failed")
            assert shake.checks["no_loss"].verdict == "passed"
    """)
    (pytester.path / "here").mkdir()
    done = pytester.runpytest_subprocess("--shake-runs", "here/runs", "-p", "no:cacheprovider")
    done.assert_outcomes(failed=2, passed=1)
    failed, unknown = sorted(path for path in (pytester.path / "here" / "runs").iterdir() if not path.is_symlink())
    done.stdout.fnmatch_lines(
        [
            "shake hasty: FAILED",
            "  latency_budget: failed: *",
            f"  run: {failed}",
            "shake calm_breaker: UNKNOWN",
            "  breaker_behaves: unknown: no breaker had cause to open",
            f"  run: {unknown}",
        ]
    )


@pytest.mark.slow
def test_an_interrupted_suite_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text('import pytest\n\n@pytest.mark.shake("calm")\ndef test_one(): ...')
    suite = subprocess.Popen([sys.executable, "-m", "pytest", "--rootdir", tmp_path, tmp_path], cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "runs").glob("*/journal-*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    suite.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert suite.wait(30) == pytest.ExitCode.INTERRUPTED
    assert time.monotonic() - began < shaken.END_S
    run = run_id(tmp_path / "runs")
    assert (left_of(run), folders(run)) == ([], [])


@pytest.mark.slow
def test_a_target_outside_of_the_folder_does_not_move_the_root_directory_unseen(pytester: pytest.Pytester) -> None:
    inner = pytester.mkdir("inner")
    (pytester.path / "x.toml").write_text("")
    (inner / "test_one.py").write_text("def test_one(): ...")
    (inner / "pytest.ini").write_text("[pytest]\n")
    pytester.chdir()
    os.chdir(inner)
    apart = pytester.runpytest_subprocess("--shake-target", "../x.toml")
    assert apart.ret == pytest.ExitCode.USAGE_ERROR
    apart.stderr.fnmatch_lines(["*expected --shake-target=../x.toml, got --shake-target ../x.toml: *"])
    joined = pytester.runpytest_subprocess("--shake-target=../x.toml")
    joined.assert_outcomes(passed=1)
    joined.stdout.fnmatch_lines([f"rootdir: {inner}"])


@pytest.mark.slow
def test_target_in_a_folder_with_an_ini_file_of_its_own_does_not_move_the_root_directory(
    pytester: pytest.Pytester,
) -> None:
    sub = pytester.mkdir("sub")
    for folder in (pytester.path, sub):
        (folder / "pytest.ini").write_text("[pytest]\n")
    (sub / "x.toml").write_text("")
    pytester.makepyfile("def test_one(): ...")
    apart = pytester.runpytest_subprocess("--shake-target", "sub/x.toml")
    assert apart.ret == pytest.ExitCode.USAGE_ERROR
    apart.stderr.fnmatch_lines(["*expected --shake-target=sub/x.toml, got --shake-target sub/x.toml: *"])
    pytester.runpytest_subprocess("--shake-target=sub/x.toml").stdout.fnmatch_lines([f"rootdir: {pytester.path}"])


@pytest.mark.slow
def test_under_xdist_tests_that_are_marked_alike_share_one_play(pytester: pytest.Pytester) -> None:
    """Of a scenario that cannot be played: each play would leave a line in the log."""
    (pytester.path / "odd.py").write_text("open('played.log', 'a').write('once\\n')\nSCENARIO = None\n")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("n", range(4))
        @pytest.mark.shake("odd.py")
        def test_it(n): ...
    """)
    done = pytester.runpytest_subprocess("-n", "2")
    done.assert_outcomes(errors=4)
    assert (pytester.path / "played.log").read_text() == "once\n"
    done.stdout.fnmatch_lines(["*was not played: *odd.py to hold*"])
