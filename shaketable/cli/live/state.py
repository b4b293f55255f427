"""The state of the live page: the run's progress, and the verdicts of the runs that have ended."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.errors import NotPlayable
from shaketable.report.page import sentence
from shaketable.rundir import RunDir
from shaketable.runner.progress import Status
from shaketable.text import in_a_line, visible

#: The most samples; from then on every second one is dropped.
SAMPLES = 1200
#: Seconds between two samples.
EVERY_S = 0.25
#: The last messages that are shown.
MESSAGES = 6
#: Verdicts, and the ends of runs without one, from the best to the worst.
_RANK = ("skipped", "passed", "unknown", "failed", "interrupted", "error")


class Sample(msgspec.Struct, array_like=True, frozen=True):
    """One reading; None is unknown."""

    at: float  # seconds since the load began
    acknowledged: int
    stored: float | None
    queue: float | None
    health: float | None


class LiveSpan(msgspec.Struct):
    """A fault, or a breaker's state, in seconds since the load began; `until` is None while it lasts."""

    name: str
    begin: float
    until: float | None = None


class EndedRun(msgspec.Struct, frozen=True):
    """A run that was judged, was skipped, or ended with an error; `report` says whether it has a page."""

    name: str
    verdict: str
    sentence: str
    report: bool


class Shown(msgspec.Struct):
    """The state as JSON."""

    scenario: str = ""
    status: Status | None = None
    samples: list[Sample] = []
    faults: list[LiveSpan] = []
    breakers: dict[str, list[LiveSpan]] = {}
    messages: list[str] = []
    ended: list[EndedRun] = []
    over: bool = False
    result: EndedRun | None = None  # when all is over: the worst of the ended runs


class LiveState:
    """The state, written by the run and read by the server; each call is atomic."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock, self._lock = clock or SystemClock(), Lock()
        self._shown, self._began = Shown(), self._clock.now()
        self._played: RunDir | None = None
        self._reports: list[Path | None] = []

    def begin(self, scenario: str) -> None:
        """A run begins."""
        self._settle()
        with self._lock:
            self._shown = Shown(visible(scenario), ended=self._shown.ended)

    def update(self, status: Status) -> None:
        """Take in the progress of the run."""
        with self._lock:
            if self._shown.status is None:
                self._began = self._clock.now()
            now, shown = self._seconds(), self._shown
            shown.status = status
            _follow(shown.faults, set(status.faults), now)
            for process, state in status.breakers.items():
                _follow(shown.breakers.setdefault(process, []), {state}, now)
            if not shown.samples or now - shown.samples[-1].at >= EVERY_S:
                read = (_known(value) for value in (status.stored, status.queue, status.health))
                shown.samples.append(Sample(now, status.acknowledged, *read))
            if len(shown.samples) > SAMPLES:
                del shown.samples[1::2]

    def say(self, text: str) -> None:
        """A message of the run."""
        with self._lock:
            self._shown.messages = [*self._shown.messages, visible(text)][-MESSAGES:]

    def played(self, run: RunDir) -> None:
        """The run has ended; its verdict is read when the next begins, or when all is over."""
        self._played = run

    def unplayed(self, error: BaseException) -> None:
        """The run has ended with an error, or cannot be played here."""
        ending = "skipped" if isinstance(error, NotPlayable) else "error"
        self._note(ending, str(error) or type(error).__name__, None)

    def end(self) -> None:
        """No further run follows."""
        self._settle()
        with self._lock:
            ended = self._shown.ended
            self._shown.over, self._shown.result = True, max(ended, key=_badness, default=None)

    def json(self) -> bytes:
        """The state for the page's script."""
        with self._lock:
            return msgspec.json.encode(self._shown)

    def report(self, number: int) -> Path | None:
        """The report of the ended run with this number, from 0; None if there is none."""
        path = self._reports[number] if 0 <= number < len(self._reports) else None
        return path if path and path.is_file() else None

    def _seconds(self) -> float:
        return round((self._clock.now() - self._began) / SECOND, 2)

    def _settle(self) -> None:
        """Take in the verdict of the last run, if it was judged."""
        run, self._played = self._played, None
        if run is None:
            return
        if not run.has(rundir.VERDICT):
            self._note("error", "The run ended without a verdict.", None)
            return
        doc: dict[str, Any] = rundir.read_json(run / rundir.VERDICT, dict[str, Any])
        self._note(sentence.verdict(doc), sentence.sentence(doc), run.path / "report.html")

    def _note(self, verdict: str, told: str, report: Path | None) -> None:
        """The run has ended."""
        with self._lock:
            self._reports.append(report)
            has_page = report is not None and report.is_file()
            ended = EndedRun(self._shown.scenario, verdict, in_a_line(told), has_page)
            self._shown.ended = [*self._shown.ended, ended]


def _badness(run: EndedRun) -> int:
    return _RANK.index(run.verdict) if run.verdict in _RANK else len(_RANK)


def _follow(spans: list[LiveSpan], names: set[str], now: float) -> None:
    """End the spans whose name is gone, and begin one for each new name."""
    names = {visible(name) for name in names}
    for span in spans:
        if span.until is None and span.name not in names:
            span.until = now
    lasting = {span.name for span in spans if span.until is None}
    spans += [LiveSpan(name, now) for name in sorted(names - lasting)]


def _known(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
