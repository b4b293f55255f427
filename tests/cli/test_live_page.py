"""The live page: what it shows of a run, and who may ask for it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from shaketable.checks.verdict import judge_run
from shaketable.cli import web
from shaketable.cli.live import server
from shaketable.cli.live.reporter import WebReporter
from shaketable.cli.live.server import LiveServer
from shaketable.cli.live.state import SAMPLES, LiveState, Shown
from shaketable.cli.outputs import Outputs
from shaketable.cli.run import run_scenarios
from shaketable.cli.web import player
from shaketable.clock import SECOND
from shaketable.errors import HarnessError, InputError, NotPlayable
from shaketable.rundir import RunDir
from shaketable.runner import phases
from shaketable.runner.order import Options, Order, order
from shaketable.runner.progress import PlainReporter, Reporter, Status
from tests.support.histories import run_of
from tests.support.shown import whole, wrong


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def now(self) -> int:
        return int(self.s * SECOND)

    def sleep(self, seconds: float) -> None:
        self.s += seconds


def shown(state: LiveState) -> Shown:
    return msgspec.json.decode(state.json(), type=Shown)


def test_faults_and_breakers_last_until_they_are_gone_and_readings_are_kept() -> None:
    clock = Hand()
    state = LiveState(clock)
    state.begin("outage")
    for at, faults, breaker in ((7, [], "CLOSED"), (8, ["away"], "OPEN"), (9, ["away"], "OPEN"), (10, [], "CLOSED")):
        clock.s = at
        state.update(Status("shake", 5, 100, at, at, None, 60, breaker, faults, {"worker-1": breaker}))
    found = shown(state)
    assert [(span.name, span.begin, span.until) for span in found.faults] == [("away", 1, 3)]
    assert [(span.name, span.begin) for span in found.breakers["worker-1"]] == [
        ("CLOSED", 0),
        ("OPEN", 1),
        ("CLOSED", 3),
    ]
    assert [(sample.at, sample.stored, sample.queue) for sample in found.samples] == [
        (n, 7 + n, None) for n in range(4)
    ]


def test_long_run_has_a_bounded_number_of_samples_over_all_of_it() -> None:
    clock = Hand()
    state = LiveState(clock)
    for at in range(5 * SAMPLES):
        clock.s = at
        state.update(Status("shake"))
    samples = shown(state).samples
    assert len(samples) <= SAMPLES
    assert (samples[0].at, samples[-1].at) == (0, 5 * SAMPLES - 1)


def test_reporter_shows_the_same_on_the_page_and_in_the_pipe() -> None:
    out, state = io.StringIO(), LiveState()
    with WebReporter(PlainReporter(out), state) as reporter:
        reporter.print("worker-1 died \x1b[31m")
        reporter.update(Status("baseline", scheduled=7))
    assert "worker-1 died" in out.getvalue()
    assert "of 7 acknowledged" in out.getvalue()
    assert shown(state).messages == ["worker-1 died ⟨U+001B⟩[31m"]


@pytest.fixture
def live() -> Iterator[LiveServer]:
    with server.serve() as found:
        yield found


def test_ended_run_has_its_verdict_and_its_report(live: LiveServer, tmp_path: Path) -> None:
    live.state.begin("outage")
    run = run_of(wrong("gone"), tmp_path)
    judge_run(run)
    (tmp_path / "report.html").write_text("the report")
    live.state.played(run)
    live.state.end()
    (ended,) = shown(live.state).ended
    assert (ended.name, ended.verdict, ended.report) == ("outage", "failed", True)
    assert httpx.get(f"{live.url}report/0", trust_env=False).text == "the report"
    assert shown(live.state).over


def result_of(state: LiveState) -> tuple[str, str]:
    found = shown(state).result
    assert found
    return found.name, found.verdict


def test_worst_of_several_runs_is_the_pages_verdict(tmp_path: Path) -> None:
    state = LiveState()
    for name, parts in (("gone", wrong("gone")), ("calm", whole())):
        state.begin(name)
        run = run_of(parts, tmp_path / name)
        judge_run(run)
        state.played(run)
    state.end()
    assert result_of(state) == ("gone", "failed")
    state.begin("broken")
    state.unplayed(HarnessError("no server"))
    state.end()
    assert result_of(state) == ("broken", "error")
    state.begin("not here")
    state.unplayed(NotPlayable("needs faketime\x1b"))
    state.begin("never judged")
    state.played(run_of(whole(), tmp_path / "unjudged"))
    state.end()
    assert [(one.verdict, one.report) for one in shown(state).ended[-2:]] == [("skipped", False), ("error", False)]
    assert shown(state).ended[-2].sentence == "needs faketime⟨U+001B⟩"
    assert state.report(len(shown(state).ended) - 1) is None


def test_run_that_ends_with_an_error_is_on_the_page(live: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> RunDir:
        raise HarnessError("no server")

    monkeypatch.setattr(phases, "run", broken)
    with pytest.raises(HarnessError):
        web._shown(order("calm", Options()), live)
    assert [(one.name, one.verdict) for one in shown(live.state).ended] == [("calm", "error")]


def test_fault_with_an_invisible_character_is_one_span_while_it_lasts() -> None:
    clock = Hand()
    state = LiveState(clock)
    state.begin("outage")
    for at in range(5):
        clock.s = at
        state.update(Status("shake", faults=["down \x1b"] * (at < 4)))
    assert [(span.begin, span.until) for span in shown(state).faults] == [(0, 4)]


@pytest.mark.parametrize("path", ["", "state", "x/state", "../state", "report/0"])
def test_without_the_secret_there_is_nothing(live: LiveServer, path: str) -> None:
    assert httpx.get(f"http://127.0.0.1:{live.port}/{path}", trust_env=False).status_code == 404


@pytest.mark.parametrize("path", ["report/0", "report/-1", "report/²", "report/%2e%2e", "state/", "verdict.json"])
def test_nothing_else_is_served(live: LiveServer, path: str) -> None:
    assert httpx.get(f"{live.url}{path}", trust_env=False).status_code == 404


def test_name_of_a_stranger_that_resolves_to_loopback_is_refused(live: LiveServer) -> None:
    for host, status in ((f"evil.example:{live.port}", 404), (f"localhost:{live.port}", 200)):
        assert httpx.get(live.url, headers={"Host": host}, trust_env=False).status_code == status


def test_port_that_is_taken_is_an_error_of_the_command(live: LiveServer) -> None:
    with pytest.raises(InputError, match=f"{live.port}"), server.serve(live.port):
        pass


def test_port_without_the_page_is_an_error_of_the_command() -> None:
    with pytest.raises(InputError, match="--web"), player(False, 8000):
        pass


@pytest.mark.slow
def test_command_shows_its_run_prints_the_verdict_and_ends_when_nobody_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Shown] = []

    def played(order: Order, reporter: Reporter) -> RunDir:
        reporter.update(Status("baseline", scheduled=7))
        url = capsys.readouterr().out.splitlines()[0].removeprefix("live page: ")
        seen.append(msgspec.json.decode(httpx.get(f"{url}state", trust_env=False).content, type=Shown))
        return run_of(wrong("gone"), tmp_path)

    monkeypatch.setattr(phases, "run", played)
    monkeypatch.setattr(server, "LEFT_S", 0.2)
    with player(True, None) as play:
        assert run_scenarios([("calm", 1)], Options(runs=tmp_path), Outputs(), play) == 1
    assert [(one.scenario, one.status and one.status.scheduled) for one in seen] == [("calm", 7)]
    assert "FAILED" in capsys.readouterr().out
