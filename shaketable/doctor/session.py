"""A doctor's session: the target on a small stack, and the events sent so far."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import psycopg
from psycopg import sql

from shaketable import libpq
from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.doctor import events
from shaketable.doctor.sender_process import SenderProcess
from shaketable.errors import TargetError
from shaketable.event import kinds
from shaketable.load import headers
from shaketable.load.sender import STATUSES
from shaketable.op import Outcome
from shaketable.stack.process import environment
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.target import bounded_http
from shaketable.target.bounded_http import BoundedResponse, NoResponse
from shaketable.target.manifest import Manifest
from shaketable.target.readers import ndjson, reference, stored
from shaketable.target.target import Target

#: Timeout of a request in seconds.
ANSWER_S = 5.0
#: Seconds in which accepted events must be stored, beyond the timeout of an attempt.
SEEN_S = 10.0
#: The most characters of a target's log or response in a message.
WORDS = 160


class DoctorSession:
    """Starts the target as `run` does. Use as a context manager: it stops the target at the end."""

    def __init__(
        self,
        manifest: Manifest,
        folder: Path,
        stack: Stack,
        supervisor: Supervisor,
        *,
        run_id: str,
        home: Path,
        programs: Mapping[str, str] | None = None,
    ) -> None:
        self.manifest, self.stack, self.home, self.clock = manifest, stack, home, SystemClock()
        (home / "logs").mkdir(exist_ok=True)
        self.target = Target(
            manifest,
            folder,
            stack,
            supervisor,
            run_id=run_id,
            state=home / "state",
            logs=home / "logs",
            settings={},
            record=lambda _: None,
            programs=programs,
        )
        self.events, self.kind = events.of(manifest, folder), kinds.of(manifest.event, manifest.capabilities.numbers)
        self._headers = headers.filled(manifest.ingest.headers, os.environ)
        self.sender: SenderProcess | None = None
        if place := self.target.sender:
            variables = environment(home, **self.target.sender_variables())
            self.sender = SenderProcess(place, variables, home, ANSWER_S, batch=bool(manifest.ingest.batch))
        self.taken: dict[str, bytes] = {}  # accepted events, by id
        self.refused: set[str] = set()  # events of which every attempt was refused

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.sender is not None:
            self.sender.close()
        self.target.close()

    def post(self, body: bytes, event_id: str, path: str = "") -> BoundedResponse | NoResponse:
        """Send an event through the clients' link; returns the response, a sender's outcome as one, or the error."""
        try:
            if self.sender is not None:
                return self.sender.send(event_id, body)
            assert self.target.intake is not None
            url = f"http://{self.target.intake.listen}{path or self.manifest.ingest.path}"
            return bounded_http.send(self.manifest.ingest.method, url, body, ANSWER_S, self._headers)
        except NoResponse as e:
            return e

    def accepts(self, answer: BoundedResponse | NoResponse) -> bool:
        """Whether an answer means that the event was accepted (ingest.accepted)."""
        return isinstance(answer, BoundedResponse) and answer.status in self.manifest.ingest.accepted

    @property
    def accepted(self) -> str:
        """The statuses of an accepted event, or a sender's outcome, in words."""
        if self.sender is not None:
            return Outcome.ACKNOWLEDGED
        return " or ".join(map(str, self.manifest.ingest.accepted))

    def said(self, answer: BoundedResponse | NoResponse) -> str:
        """An answer in a word or two."""
        if isinstance(answer, NoResponse):
            return str(answer)
        found = {status: str(returned) for returned, status in STATUSES.items()}
        return found[answer.status] if self.sender is not None else str(answer.status)

    def stored(self) -> list[dict[str, str]]:
        """The stored events as text, and why a line is `unreadable`. Raises psycopg.Error or TargetError."""
        if (query := self.manifest.stored.sql) is not None:
            return [self._matched(row) for row in self.rows(query)]
        found = reference.matched(stored.rows(self.stack, self.target.located()), self.manifest.event)
        return [
            {
                "event_id": str(row["event_id"]),
                "event": _text(row.get("event")),
                "unreadable": row.get("unreadable", ""),
            }
            for row in map(_plain, found)
        ]

    def _matched(self, row: dict[str, str]) -> dict[str, str]:
        """The row, under the client's reference if the server makes the ids."""
        event = self.manifest.event
        if event is None or event.reference is None:
            return row
        return {**row, "event_id": reference.of((row["event"] or "").encode(), event.reference) or ""}

    def columns(self, query: str) -> list[str]:
        """The columns of the manifest's SQL. Raises psycopg.Error."""
        with self.reading() as database:
            found = database.execute(sql.SQL("select * from ({}) as q limit 0").format(sql.SQL(query)), prepare=True)
            return [column.name for column in found.description or ()]

    def rows(self, query: str) -> list[dict[str, str]]:
        """The rows of the manifest's SQL, every column as text. Raises psycopg.Error."""
        columns = self.columns(query)
        parts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier("q", name)) for name in columns)
        with self.reading() as database:
            found = database.execute(sql.SQL("select {} from ({}) as q").format(parts, sql.SQL(query)), prepare=True)
            return [dict(zip(columns, row, strict=True)) for row in found]

    def reading(self) -> psycopg.Connection[Any]:
        """A connection for the manifest's SQL, with the target's role."""
        return libpq.connect_read_only(self.stack.owner_url(), 5, autocommit=True, connect_timeout=3)

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """A bounded connection with the harness's role."""
        with libpq.connect(
            self.stack.admin_url(), autocommit=True, connect_timeout=3, options="-c statement_timeout=5000"
        ) as database:
            yield database

    def seen(self, condition: Callable[[], bool], within_s: float | None = None) -> bool:
        """Wait for a condition; returns whether it held in time. A target that cannot be read does not hold it yet."""
        return _waited(condition, within_s or self.manifest.timing.attempt_timeout_s + SEEN_S, self.clock)

    def last_log_lines(self, process: str) -> str:
        """The last lines of a process's log, for messages."""
        child = self.target.instances[process].child
        return " | ".join(child.tail(3).splitlines())[-WORDS:] if child else ""


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: ndjson.id_of(row) if name == "event_id" else value for name, value in row.items()}


def _text(event: Any) -> str:
    return msgspec.json.encode(event).decode()


def _waited(condition: Callable[[], bool], within_s: float, clock: Clock) -> bool:
    deadline = clock.now() + int(within_s * SECOND)
    while not (held := _holds(condition)) and clock.now() < deadline:
        clock.sleep(0.05)
    return held


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except TargetError:  # the process that is asked may be busy or reconnecting
        return False


def excerpt(said: BoundedResponse) -> str:
    """The start of a response's body, for messages."""
    return " ".join(said.text.split())[:WORDS] or "nothing more"
