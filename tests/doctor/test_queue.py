"""The backlog is observed in a freeze, except where a process that the harness must ask is the one that stores."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from shaketable.clock import SystemClock
from shaketable.doctor import persistence, queue, session, shutdown
from shaketable.doctor.result import DoctorResult
from shaketable.doctor.session import DoctorSession
from shaketable.errors import TargetError
from shaketable.target.source_tables import Counted, Queue, Stored


class Child:
    """A process that can be frozen."""

    def __init__(self) -> None:
        self.is_frozen = self.was_frozen = False

    def poll(self) -> None:
        """It runs."""

    def pause(self) -> None:
        self.is_frozen = self.was_frozen = True

    def resume(self) -> None:
        self.is_frozen = False


class Target:
    """`worker` stores what `intake` accepts, and answers for it, unless it is frozen."""

    def __init__(self, *names: str) -> None:
        self.instances = {
            name: SimpleNamespace(name=name, kind=SimpleNamespace(name=name), child=Child()) for name in names
        }
        self.silent = 0  # the next requests that get no answer
        self.taken: dict[str, bytes] = {}

    def located(self) -> None:
        """The fake backlog needs no manifest."""

    def stored(self) -> list[dict[str, str]]:
        self.silent -= 1
        if self.silent >= 0 or self.instances["worker"].child.is_frozen:
            raise TargetError("worker does not answer")
        return [{"event_id": each} for each in self.taken]


def examined(monkeypatch: pytest.MonkeyPatch, target: Target, **tables: Any) -> list[DoctorResult]:
    class Backlog:
        def __init__(self, *_: object) -> None:
            pass

        def __enter__(self) -> Backlog:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def queue(self) -> int | None:
            return None if target.instances["worker"].child.is_frozen else 0

    monkeypatch.setattr(queue, "Backlog", Backlog)
    return list(queue.lines(visit(target, **tables)))


def visit(target: Target, **tables: Any) -> DoctorSession:
    found = {"stored": Stored(sql="select"), "queue": Queue(url="/length"), "timing": SimpleNamespace(), **tables}
    made = SimpleNamespace(
        manifest=SimpleNamespace(ingest=SimpleNamespace(process="intake"), **found),
        target=target,
        stack=None,
        kind=SimpleNamespace(key=str),
        taken=target.taken,
        events=SimpleNamespace(new=lambda: (f"{len(target.taken)}", b"{}")),
        post=lambda body, event_id: body,
        accepts=lambda answer: True,
        stored=target.stored,
        clock=SystemClock(),
    )
    made.seen = lambda condition, within_s=0.0: session._waited(condition, 20.0, made.clock)
    return cast(DoctorSession, made)


@pytest.mark.parametrize(
    "tables",
    [
        {"queue": Queue(url="/length", process="worker")},
        {"stored": Stored(url="/stored", process="worker")},
        {"queue": Queue(sql="select 1", parked=Counted(url="/parked", process="worker"))},
    ],
)
def test_process_that_must_answer_is_not_frozen_and_not_blamed(
    monkeypatch: pytest.MonkeyPatch, tables: dict[str, Any]
) -> None:
    target = Target("intake", "worker")
    (line,) = examined(monkeypatch, target, **tables)
    assert line.state == "not claimed"
    assert not target.instances["worker"].child.was_frozen


def test_store_of_a_process_that_answers_is_not_called_a_missing_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target("intake", "worker", "mailer")
    lines = examined(monkeypatch, target, queue=Queue(url="/length", process="worker"))
    assert [line.state for line in lines] == ["not claimed", "ok"]
    assert [name for name, each in target.instances.items() if each.child.was_frozen] == ["mailer"]


def test_stored_events_that_a_frozen_process_shows_end_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = examined(monkeypatch, Target("intake", "worker"), stored=Stored(command=("ask", "worker")))
    assert [line.state for line in lines] == ["not claimed", "ok"]


def test_target_that_does_not_answer_yet_is_asked_again() -> None:
    target = Target("intake", "worker")
    made = visit(target)
    target.silent = 3
    shutdown._settle(made)
    assert target.silent < 0
    assert persistence.missing(made) == set()
