"""A scenario that documents a loss: its check must fail, and the servers run as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable import Load, Scenario, checks, faults
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import judge_history
from shaketable.cli import playing
from shaketable.errors import NotPlayable, ScenarioError
from shaketable.faults.timeline import At
from shaketable.results.result import collect
from shaketable.runner.order import Order
from tests.support.book import Book
from tests.support.histories import asks, history, sent, stored

LOSSY = (sent("a", at=1).acknowledged(2), sent("b", at=1).acknowledged(2), stored("a", at=3), asks(checks.NoLoss()))
SOUND = (sent("a", at=1).acknowledged(2), stored("a", at=3), asks(checks.NoLoss()))


def expecting(book: Book) -> None:
    book.scenario["expects"] = {"no_loss": "failed"}


def scenario(**more: object) -> Scenario:
    return Scenario(story="tested", load=Load(rate=1, shake_s=5), checks=(checks.NoLoss(),), name="tested", **more)  # type: ignore[arg-type]


def test_loss_that_is_expected_passes_and_is_counted() -> None:
    doc = judge_history(history(*LOSSY, expecting))
    found = doc.checks["no_loss"]
    assert (doc.verdict, found.verdict, found.expected) == (Verdict.PASSED, Verdict.PASSED, "failed")
    assert found.counts["lost"] == 1


def test_loss_that_is_expected_and_does_not_come_fails() -> None:
    doc = judge_history(history(*SOUND, expecting))
    assert (doc.verdict, doc.checks["no_loss"].verdict) == (Verdict.FAILED, Verdict.FAILED)


def test_without_an_expectation_a_loss_fails() -> None:
    assert judge_history(history(*LOSSY)).verdict is Verdict.FAILED


@pytest.mark.parametrize("expects", [{"no_loss": "passed"}, {"order_kept": "failed"}])
def test_expectation_that_means_nothing_is_refused(expects: dict[str, str]) -> None:
    with pytest.raises(ScenarioError, match="expects"):
        scenario(expects=expects)


@pytest.mark.parametrize(
    "servers",
    [
        {"kafka": {"acks": "all"}},
        {"redis": {"requirepass": "x"}},
        {"postgres": {"port": "1"}},
        {"redis": {"appendfsync": "no\nbind *"}},
        {"redis": {"appendfsync": 1}},
        {"redis": {"a b": "c"}},
    ],
)
def test_setting_that_a_scenario_cannot_set_is_refused(servers: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ScenarioError, match="servers"):
        scenario(servers=servers)


def test_only_the_servers_whose_disk_is_broken_get_a_disk() -> None:
    made = scenario(timeline=(At(1, 2, faults.PowerLoss("redis")), At(1, 2, faults.Down("postgres"))))
    assert made.server_options.disks == {"redis"}


def test_scenario_that_cannot_be_played_here_is_skipped_and_costs_the_others_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def play(_: Order) -> None:
        raise NotPlayable("faults of a disk need a C compiler")

    order = Order(scenario(), Path("target.toml"), tmp_path)
    assert playing.many([order], play=play) == 2  # type: ignore[arg-type]
    printed = capsys.readouterr().out
    assert "skipped" in printed
    assert "faults of a disk need a C compiler" in printed
    skipped = playing._result(order, 1, play)  # type: ignore[arg-type]
    assert (skipped.verdict, skipped.why) == ("skipped", "faults of a disk need a C compiler")
    assert collect([skipped]).verdict == "unknown"
