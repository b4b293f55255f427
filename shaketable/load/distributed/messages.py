"""The messages between master and workers, sent as Locust's custom messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

from shaketable.load.distributed.share import Share


class Assigned(msgspec.Struct, frozen=True):
    """To a worker, before it starts users: its share of a test, and the seed of an endless schedule."""

    kind: ClassVar[str] = "shaketable_assigned"
    test: int
    share: Share
    seed: int


class Ready(msgspec.Struct, frozen=True):
    """To the master: a worker has its share and its users."""

    kind: ClassVar[str] = "shaketable_ready"
    test: int
    index: int


class Begin(msgspec.Struct, frozen=True):
    """To a worker: T0, in nanoseconds of the master's monotonic clock."""

    kind: ClassVar[str] = "shaketable_begin"
    test: int
    at: int


class Done(msgspec.Struct, frozen=True):
    """To the master: a worker has played its share; `why` says why the target cannot be loaded at all."""

    kind: ClassVar[str] = "shaketable_done"
    test: int
    index: int
    why: str = ""


class Local(msgspec.Struct, frozen=True):
    """To the master: a worker reads the run directory and writes its journal there."""

    kind: ClassVar[str] = "shaketable_local"


class Lines(msgspec.Struct, frozen=True):
    """Lines of JSON for or from a worker elsewhere: its share and the corpus, or its journal."""

    kind: ClassVar[str] = "shaketable_lines"
    what: str
    text: str
    number: int = 0  # 0, 1, 2, … of a journal, so that a lost message is noticed


class Ping(msgspec.Struct, frozen=True):
    """To the master: a worker asks for the time, at this time of its own."""

    kind: ClassVar[str] = "shaketable_ping"
    asked: int


class Pong(msgspec.Struct, frozen=True):
    """To a worker: the master's time."""

    kind: ClassVar[str] = "shaketable_pong"
    asked: int
    at: int


#: What lines hold.
CORPUS, SCHEDULE, JOURNAL = "corpus", "schedule", "journal"
Message = Assigned | Ready | Begin | Done | Local | Lines | Ping | Pong
M = TypeVar("M", Assigned, Ready, Begin, Done, Local, Lines, Ping, Pong)


class Runner(Protocol):
    """The part of Locust's MasterRunner and WorkerRunner that sends messages."""

    def register_message(self, msg_type: str, listener: Callable[..., None]) -> None: ...
    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None: ...


def listen(runner: Runner, type_: type[M], handle: Callable[[M, str], None]) -> None:
    """Call `handle` for each message of that type, with Locust's id of the sender."""

    def convert(environment: Any, msg: Any) -> None:  # noqa: ARG001 (Locust passes both by name)
        handle(msgspec.convert(msg.data, type_), msg.node_id)

    runner.register_message(type_.kind, convert)


def send(runner: Runner, message: Message, client_id: str | None = None) -> None:
    """Send a message to the master, or from it to a worker."""
    runner.send_message(message.kind, msgspec.to_builtins(message), client_id)
