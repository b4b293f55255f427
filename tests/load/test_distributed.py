"""One schedule for several workers: its split, and what master and workers say to each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from shaketable import rundir
from shaketable.clock import SECOND
from shaketable.errors import InputError
from shaketable.load.distributed.master import LEAD, Master
from shaketable.load.distributed.messages import CORPUS as CORPUS_LINES
from shaketable.load.distributed.messages import SCHEDULE as SCHEDULE_LINES
from shaketable.load.distributed.messages import Assigned, Begin, Done, Lines, Local, Ready, listen
from shaketable.load.distributed.share import WHOLE, Share, split
from shaketable.load.distributed.worker import Worker
from shaketable.load.distributed.workers import Workers
from shaketable.load.mix import Mix
from shaketable.load.mix.shape import Shape
from shaketable.load.schedule import Load, Planned, schedule
from shaketable.rundir import RunDir
from tests.load.test_dispatcher import FakeClock
from tests.load.test_schedule import CORPUS

EVENTS = schedule(Load(100, 0, 30, 0), Mix(ordered=0.3, resent=0.1, twins=0.1), CORPUS, 3)


def part(index: int, of: int, events: list[Planned] = EVENTS) -> list[Planned]:
    return list(Share(index, of).part(events))


@pytest.mark.parametrize("of", [1, 2, 3, 10])
def test_shares_hold_every_event_once_and_in_order(of: int) -> None:
    parts = [part(index, of) for index in range(of)]
    assert sorted((planned for each in parts for planned in each), key=lambda planned: planned.n) == EVENTS
    assert all(each == sorted(each, key=lambda planned: planned.n) for each in parts)


def test_the_share_of_one_worker_is_the_whole() -> None:
    assert list(WHOLE.part(EVENTS)) == EVENTS


@pytest.mark.parametrize("of", [2, 3, 10])
def test_an_organization_has_one_worker(of: int) -> None:
    homes: dict[str, set[int]] = {}
    for index, planned in split(EVENTS, of):
        if planned.organization is not None:
            homes.setdefault(planned.organization, set()).add(index)
    assert any(planned.ordered for planned in EVENTS)
    assert all(len(workers) == 1 for workers in homes.values())


@pytest.mark.parametrize("of", [2, 3, 4])
def test_shares_are_of_like_size(of: int) -> None:
    sizes = Counter(index for index, _ in split(EVENTS, of))
    assert max(sizes.values()) < 1.25 * len(EVENTS) / of


def test_a_share_is_the_same_wherever_it_is_computed() -> None:
    assert part(1, 3) == part(1, 3, list(EVENTS))
    longer = schedule(Load(100, 0, 40, 0), Mix(ordered=0.3, resent=0.1, twins=0.1), CORPUS, 3)
    assert [planned for planned in part(1, 3, longer) if planned.n < 1_000] == [
        planned for planned in part(1, 3) if planned.n < 1_000
    ]  # what follows changes nothing, so that an endless schedule can be split too


def test_the_master_is_on_loopback_unless_another_address_is_asked_for() -> None:
    commands = dict(Workers(2, 5000).commands())
    assert set(commands) == {"locust", "locust-1", "locust-2"}
    assert commands["locust"][:3] == ["--master", "--master-bind-host", "127.0.0.1"]
    assert commands["locust"][-1] == "2"
    assert Workers(1, 5000, "0.0.0.0", 3).master()[-1] == "4"
    assert "127.0.0.1" in dict(Workers(1, 5000, "0.0.0.0").commands())["locust-1"]


@dataclass
class Wire:
    """Locust's side of one process: what it sent, and a way to hand it a message."""

    def __post_init__(self) -> None:
        self.handlers: dict[str, Any] = {}
        self.sent: list[tuple[str | None, str, dict[str, Any]]] = []
        self.nodes: dict[str, Any] = {}

    @property
    def clients(self) -> Any:
        return SimpleNamespace(ready=list(self.nodes.values()), running=[], spawning=[], get=self.nodes.get)

    def connect(self, name: str) -> None:
        self.nodes[name] = SimpleNamespace(id=name, state="ready")

    def register_message(self, msg_type: str, listener: Any) -> None:
        self.handlers[msg_type] = listener

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        self.sent.append((client_id, msg_type, data))

    def receive(self, kind: str, data: dict[str, Any], sender: str = "") -> None:
        self.handlers[kind](environment=None, msg=SimpleNamespace(data=data, node_id=sender))


class Game:
    """A master with two workers, whose messages are delivered by hand."""

    def __init__(self, most: int | None = None) -> None:
        self.clock, self.wire, self.ended = FakeClock(), Wire(), list[str]()
        self.master = Master(self.wire, self.clock, self.ended.append, most)
        self.workers: dict[str, Worker] = {}
        self.wires: dict[str, Wire] = {}
        self.played: dict[str, int] = {}
        for name in ("a", "b"):
            self.connect(name)

    def connect(self, name: str) -> None:
        self.wire.connect(name)
        wire = self.wires[name] = Wire()
        self.workers[name] = Worker(wire, lambda at, name=name: self.played.update({name: at}))  # type: ignore[misc]

    def deliver(self) -> None:
        for client_id, kind, data in self.wire.sent:
            self.wires[client_id or ""].receive(kind, data)
        self.wire.sent.clear()
        for name, wire in self.wires.items():
            for _, kind, data in wire.sent:
                self.wire.receive(kind, data, name)
            wire.sent.clear()

    def begin(self) -> dict[str, Assigned | None]:
        self.master.begin(seed=9)
        self.deliver()
        return {name: worker.take() for name, worker in self.workers.items()}

    def start(self) -> None:
        for worker in self.workers.values():
            worker.ready()
        self.deliver()
        self.deliver()


def test_every_worker_gets_a_share_and_the_seed_and_the_same_start() -> None:
    game = Game()
    assigned = game.begin()
    assert {each.share for each in assigned.values() if each} == {Share(0, 2), Share(1, 2)}
    assert {each.seed for each in assigned.values() if each} == {9}
    game.start()
    assert game.played == {"a": LEAD, "b": LEAD}


def test_shares_of_a_run_are_those_of_the_expected_workers() -> None:
    game = Game(most=2)
    game.connect("c")
    assert [each and each.share for each in game.begin().values()] == [Share(0, 2), Share(1, 2), None]
    game.start()
    assert game.played == {"a": LEAD, "b": LEAD}


def test_nobody_starts_before_the_last_is_ready() -> None:
    game = Game()
    game.begin()
    game.workers["a"].ready()
    game.workers["a"].ready()  # another number of users is no second worker
    game.deliver()
    game.deliver()
    assert not game.played
    game.clock.at = 5 * SECOND
    game.workers["b"].ready()
    game.deliver()
    game.deliver()
    assert set(game.played.values()) == {5 * SECOND + LEAD}


def test_one_that_connects_later_has_no_share_and_is_not_awaited() -> None:
    game = Game()
    game.begin()
    game.connect("late")
    assert game.workers["late"].take() is None
    game.start()
    assert set(game.played) == {"a", "b"}
    for worker in game.workers.values():
        worker.done()
    game.deliver()
    assert game.ended == [""]


def test_the_end_is_the_end_of_the_last_or_a_target_that_cannot_be_loaded() -> None:
    game = Game()
    game.begin()
    game.start()
    game.workers["a"].done()
    game.deliver()
    assert not game.ended
    game.workers["b"].done("the answers are 200")
    game.deliver()
    assert game.ended == ["the answers are 200"]


def test_a_lost_worker_is_named_once_and_only_before_its_end() -> None:
    game = Game()
    game.begin()
    game.wire.nodes["a"].state = "missing"  # it reads its schedule
    assert not game.master.lost()
    game.start()
    assert [game.master.lost(), game.master.lost()] == [["load-0"], []]
    game.workers["b"].done()
    game.deliver()
    del game.wire.nodes["b"]
    assert not game.master.lost()
    game.begin()
    assert game.master.lost() == []
    del game.wire.nodes["a"]
    assert game.master.lost() == ["load-0"]  # it has left, so it does not read


def test_workers_leave_freely_after_the_end() -> None:
    game = Game()
    game.begin()
    game.start()
    game.master.end()
    game.wire.nodes.clear()
    assert not game.master.lost()


def test_messages_of_an_earlier_test_change_nothing() -> None:
    game = Game()
    game.begin()
    old = game.workers["b"]
    game.begin()
    for message in (Ready(1, 0), Ready(1, 1), Done(1, 0), Done(1, 1)):
        game.wire.receive(message.kind, {"test": message.test, "index": message.index})
    game.deliver()
    assert not game.played
    assert not game.ended
    game.wires["b"].receive(Begin.kind, {"test": 1, "at": 7})
    assert not game.played
    assert old is game.workers["b"]


def test_a_worker_elsewhere_is_sent_the_corpus_and_its_share_and_its_journal_returns(tmp_path: Path) -> None:
    run, game = RunDir(tmp_path), Game()
    rundir.write_lines(run / rundir.CORPUS, CORPUS)
    rundir.write_lines(run / rundir.SCHEDULE, EVENTS)
    game.wire.receive(Local.kind, {}, "a")
    received: dict[str, str] = {CORPUS_LINES: "", SCHEDULE_LINES: ""}

    def collect(lines: Lines, _: str) -> None:
        received[lines.what] += lines.text

    for name in ("a", "b"):
        listen(game.wires[name], Lines, collect)
    game.master.begin(9, run)
    game.deliver()
    assert msgspec.json.Decoder(Planned).decode_lines(received[SCHEDULE_LINES]) == part(1, 2)
    assert msgspec.json.Decoder(Shape).decode_lines(received[CORPUS_LINES]) == CORPUS
    for name in ("a", "b"):
        game.wire.receive(Lines.kind, {"what": "journal", "text": f"{name}\n"}, name)
    assert [(path.name, path.read_text()) for path in run.journals()] == [("journal-load-1.jsonl", "b\n")]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ((2, "127.0.0.1:5557", None, ()), "together"),
        ((None, "", 2, ()), "together"),
        ((None, "127.0.0.1", 2, ()), "as HOST:PORT, got '127.0.0.1'"),
        ((None, "0.0.0.0:5557", 2, ()), "on loopback, got 0.0.0.0"),
        ((None, "10.0.0.7:5557", 2, ("10.0.0.8",)), "on loopback, got 10.0.0.7"),
    ],
)
def test_workers_that_cannot_be_are_refused_in_a_sentence(asked: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        Workers.of(*asked)


def test_workers_of_the_options() -> None:
    assert Workers.of(None, "", None, ()) is Workers.of(1, "", None, ()) is None
    assert Workers.of(2, "", None, ()) == Workers(2)
    assert Workers.of(None, "127.0.0.1:5557", 3, ()) == Workers(0, 5557, "127.0.0.1", 3)
    open_ = Workers.of(2, "0.0.0.0:5557", 3, ("0.0.0.0",))
    assert open_ == Workers(2, 5557, "0.0.0.0", 3)
    assert open_.options()[-2:] == ["--allow-remote", "0.0.0.0"]
