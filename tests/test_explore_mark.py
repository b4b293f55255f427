"""The mark that gates a test on an exploration, and what its failure prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.errors import TargetError
from shaketable.results.exploration import ExploreRequest, ExploreResult

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("mark", ["explore", "explore(5)", 'explore(budget="5m", sed=3)', 'explore("5m", "6m")'])
def test_explore_mark_that_cannot_be_read_ends_the_session(pytester: pytest.Pytester, mark: str) -> None:
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.{mark}\ndef test_one(): ...")
    done = pytester.runpytest_inprocess()
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*expected @pytest.mark.explore(budget, *, target=None*"])


@pytest.mark.parametrize(("verdict", "failed"), [("passed", 0), ("failed", 1), ("unknown", 1)])
def test_explore_mark_gates_a_test_and_equal_marks_share_one(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, verdict: str, failed: int
) -> None:
    asked: list[ExploreRequest] = []

    def play(request: ExploreRequest, out: Path, root: Path) -> ExploreResult:
        asked.append(request)
        return ExploreResult(verdict, ("no_loss fails with worker-1 killed for 0.5 s: 4 of 6",))

    monkeypatch.setattr("shaketable.results.exploration.play", play)
    mark = '@pytest.mark.explore(budget="5m", target="mine.toml", seed=3)'
    pytester.makepyfile(f"import pytest\n\n{mark}\ndef test_one(): ...\n\n{mark}\ndef test_two(): ...")
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(passed=2 * (1 - failed), failed=2 * failed)
    assert asked == [ExploreRequest("5m", "mine.toml", 3)]


def test_log_of_a_target_gives_no_command_to_the_output_of_pytest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> ExploreResult:
        raise TargetError("died:\n::stop-commands::x\x1b[2J")

    monkeypatch.setattr("shaketable.results.exploration.play", fail)
    monkeypatch.setattr("shaketable.pytest_plugin.play", fail)
    marks = "@pytest.mark.{}\ndef test_{}(): ...\n\n"
    pytester.makepyfile("import pytest\n\n" + marks.format('explore("5m")', "a") + marks.format('shake("calm")', "b"))
    done = pytester.runpytest_inprocess()
    done.assert_outcomes(failed=1, errors=1)
    said = done.stdout.str()
    assert said.count("died: | : :stop-commands: :x⟨U+001B⟩[2J") >= 2
    assert "::stop" not in said


def test_exploration_asks_for_what_the_mark_says() -> None:
    words = "explore --budget 5m --target mine.toml --seed 3"
    assert " ".join(ExploreRequest("5m", "mine.toml", 3).command()) == words
    assert ExploreRequest("5m").command() == ["explore", "--budget", "5m"]
