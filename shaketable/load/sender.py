"""A sender: a class beside the manifest that sends one event, for an intake that is not HTTP.

It runs inside Locust, one instance for each user, under gevent: its client must wait in pure Python.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from shaketable.errors import ManifestError
from shaketable.load.mix.own.strategy import named
from shaketable.op import Outcome

#: The key of the manifest, for messages.
KEY = "ingest.sender"
#: The form of a sender's place: a file relative to the manifest, and a class in it.
PLACE = re.compile(r"[^:]+\.py:[A-Za-z_]\w*")
#: What a sender returns for an event that is certainly not accepted, and may be later: a queue is full, say.
REFUSED_FOR_NOW = "refused_for_now"
#: The statuses that stand for what a sender returns in the journal; an indeterminate attempt has none.
STATUSES: dict[str, int] = {Outcome.ACKNOWLEDGED: 202, Outcome.REFUSED: 422, REFUSED_FOR_NOW: 503}
#: Names of errors in the journal: `open` failed, so nothing was sent; `send` raised; `send` took too long.
NOT_OPENED, RAISED, TOO_LATE = "SenderNotOpened", "SenderRaised", "SenderTimeout"
FAILURES = frozenset({NOT_OPENED, RAISED, TOO_LATE})
#: Seconds that the import of a sender may take.
IMPORT_S = 20.0
#: The methods of a sender, and their arguments.
METHODS = {"open": (), "send": ("event_id", "body"), "close": ()}
#: With ingest.batch: a method more.
BATCH = {"send_batch": ("events",)}


class Sender(Protocol):
    """Sends the events of one user, one at a time."""

    def open(self) -> None:
        """Connect. It is called before the first event, and again after an attempt that raised or took too long."""

    def send(self, event_id: str, body: bytes) -> Outcome | str:
        """Send one event; returns `Outcome.ACKNOWLEDGED` once it is durable.

        `Outcome.REFUSED` if the event is certainly not accepted and never will be: it is malformed. A well-formed
        event that was refused so fails the check `refuses_rightly`. `REFUSED_FOR_NOW` if it is certainly not accepted
        but may be later: it is sent again. `Outcome.INDETERMINATE` otherwise: it is sent again, too.
        """

    def close(self) -> None:
        """Disconnect."""


class BatchSender(Sender, Protocol):
    """A sender for ingest.batch."""

    def send_batch(self, events: Sequence[tuple[str, bytes]]) -> Sequence[Outcome | str]:
        """Send several events, each an id and a body, and return for each what `send` would."""


def load(place: str, batch: bool = False) -> Callable[[], Sender]:
    """The class at `FILE:NAME`. Raises ManifestError if it cannot be imported, or is no sender (of batches)."""
    file, _, name = place.rpartition(":")
    path = Path(file)
    try:
        found = named(path.parent, f"{path.name}:{name}", KEY)
    except SystemExit as e:
        raise ManifestError(f"{KEY}: {path} ends the program when it is imported: leave out sys.exit()") from e
    if why := _unfit(found, METHODS | BATCH if batch else METHODS):
        raise ManifestError(
            f"expected {name} in {path} ({KEY}) to be a class with open(), send(event_id, body) and close(), got {why}"
        )
    return found  # type: ignore[no-any-return]  # checked by its signatures


def _unfit(found: object, methods: Mapping[str, tuple[str, ...]]) -> str:
    """What keeps a value from being a sender's class; "" for nothing."""
    if not isinstance(found, type):
        return f"a {type(found).__name__}: write a class"
    if not _takes(found, ()):
        return "one whose __init__ needs arguments: give them defaults, or read them from the environment"
    for method, arguments in methods.items():
        call = getattr(found, method, None)
        if not callable(call):
            return f"one without {method}(): define it"
        if inspect.iscoroutinefunction(call):
            return f"an asynchronous {method}(): write a plain one, since it runs under gevent"
        if not _takes(call, (None, *arguments)):
            return f"{method}{inspect.signature(call)}: take ({', '.join(('self', *arguments))})"
    return ""


def _takes(call: Callable[..., object], arguments: tuple[object, ...]) -> bool:
    try:
        inspect.signature(call).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # a built-in class without a signature
        return True
    return True


def check(place: str, env: Mapping[str, str], batch: bool = False) -> None:
    """Import the class in a process of its own, as the load will. Raises ManifestError if it is no sender."""
    command = [sys.executable, "-P", "-m", "shaketable.load.send_one", place, "batch" if batch else "single"]
    try:
        done = subprocess.run(command, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, timeout=IMPORT_S)
    except subprocess.TimeoutExpired as e:
        raise ManifestError(
            f"expected {Path(place.rpartition(':')[0])} ({KEY}) to be imported within {IMPORT_S:g} s, got no end: do "
            "in open() what waits"
        ) from e
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise ManifestError(lines[-1] if lines else f"{shown(place)} ({KEY}) ends the program when it is imported")


def statuses(returned: object, count: int) -> list[int | None]:
    """The statuses that stand for what `send_batch` returned. Raises ValueError unless these are `count` outcomes."""
    if not isinstance(returned, list | tuple) or len(returned) != count:
        raise ValueError(type(returned).__name__)
    return [status(each) for each in returned]


def status(returned: object) -> int | None:
    """The status that stands for what `send` returned. Raises ValueError with its type for anything else."""
    if isinstance(returned, str) and returned in (*Outcome, REFUSED_FOR_NOW):
        return STATUSES.get(returned)
    raise ValueError(type(returned).__name__)


def nonsense(place: str, kind: str) -> str:
    """The sentence on a value that is no outcome, by its type: the value itself may be content."""
    return (
        f"expected {shown(place)} ({KEY}) to return an Outcome of shaketable.op for each event, got a {kind}: return "
        f"Outcome.ACKNOWLEDGED, Outcome.REFUSED, Outcome.INDETERMINATE or {REFUSED_FOR_NOW!r}"
    )


def shown(place: str) -> str:
    """A place without its folder."""
    file, _, name = place.rpartition(":")
    return f"{name} in {Path(file).name}"


def where(error: BaseException, trace: TracebackType | None, place: str) -> str:
    """An error's class, and the sender's line at which it arose; never its message, which may hold content."""
    file = Path(place.rpartition(":")[0])
    lines = [each.lineno for each in traceback.extract_tb(trace) if Path(each.filename) == file]
    return f"{type(error).__name__}{f' at {file.name}:{lines[-1]}' if lines else ''}"
