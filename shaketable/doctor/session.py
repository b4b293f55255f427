"""A visit: the target on a small stack, and what has been sent to it so far."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import psycopg
from psycopg import sql

from shaketable import libpq
from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.target import bounded_http
from shaketable.target.bounded_http import BoundedResponse, NoResponse
from shaketable.target.manifest import Manifest
from shaketable.target.target import Target

#: Seconds within which an answer must come.
ANSWER_S = 5.0
#: Seconds within which what was taken in must be seen, beyond the longest that one attempt may take.
SEEN_S = 10.0
#: Characters of a target's own words that are shown.
WORDS = 160
#: One of each thing that an event may hold, and of what readers of JSON are known to spoil.
CONTENT: dict[str, Any] = {
    "action": "doctor.visit",
    "status": "success",
    "principalId": "doctor",
    "organizationId": "org-doctor",
    "targetResourceType": "Patient",
    "targetResourceId": "pat-1",
    "outcomeDescription": "Grüße – 中文 \"'\\ \U0001f468",
    "correlationId": "visit",
    "dataClassification": "INTERNAL",
    "retentionPolicy": "standard",
    "eventVersion": "1.0",
    "ttl": 3600,
    "details": {"list": [1, 2.5, True, {"deep": "x"}], "largest": 9007199254740991, "small": 1e-7},
    "unnamedMember": "kept as well",
}


class DoctorSession:
    """Brings the target up as `run` does. Use as a context manager: whatever it started ends with it."""

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
        self.taken: dict[str, bytes] = {}  # what was answered with 202, by id
        self.refused: set[str] = set()  # whose every attempt was refused

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.target.stop_all()

    def post(self, body: bytes) -> BoundedResponse | NoResponse:
        """The answer of the intake, by way of the clients' link, or the error that came instead."""
        try:
            return bounded_http.post(f"http://{self.target.intake.listen}{self.manifest.ingest.path}", body, ANSWER_S)
        except NoResponse as e:
            return e

    def columns(self, query: str) -> list[str]:
        """What SQL of the manifest's gives. Raises psycopg.Error."""
        with self.reading() as database:
            found = database.execute(sql.SQL("select * from ({}) as q limit 0").format(sql.SQL(query)), prepare=True)
            return [column.name for column in found.description or ()]

    def rows(self, query: str) -> list[dict[str, str]]:
        """Its rows, every column as text. Raises psycopg.Error."""
        columns = self.columns(query)
        parts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier("q", name)) for name in columns)
        with self.reading() as database:
            found = database.execute(sql.SQL("select {} from ({}) as q").format(parts, sql.SQL(query)), prepare=True)
            return [dict(zip(columns, row, strict=True)) for row in found]

    def reading(self) -> psycopg.Connection[Any]:
        """A session for the manifest's SQL, as the target's role."""
        return libpq.connect_read_only(self.stack.owner_url(), 5, autocommit=True, connect_timeout=3)

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """A bounded session of the harness's own."""
        with libpq.connect(
            self.stack.admin_url(), autocommit=True, connect_timeout=3, options="-c statement_timeout=5000"
        ) as database:
            yield database

    def seen(self, condition: Callable[[], bool], within_s: float | None = None) -> bool:
        """Wait until it holds; returns whether it did in time."""
        return _waited(condition, within_s or self.manifest.timing.attempt_timeout_s + SEEN_S, self.clock)

    def last_log_lines(self, process: str) -> str:
        """The last words of a process's log."""
        child = self.target.instances[process].child
        return " | ".join(child.tail(3).splitlines())[-WORDS:] if child else ""


def _waited(condition: Callable[[], bool], within_s: float, clock: Clock) -> bool:
    deadline = clock.now() + int(within_s * SECOND)
    while not (held := condition()) and clock.now() < deadline:
        clock.sleep(0.05)
    return held


def event(**other: Any) -> tuple[str, bytes]:
    """A valid event under a fresh id, and the id."""
    event_id = str(uuid.uuid4())
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds")
    return event_id, msgspec.json.encode({"eventId": event_id, "timestamp": stamp, **CONTENT, **other})


def excerpt(said: BoundedResponse) -> str:
    """What an answer says, for people."""
    return " ".join(said.text.split())[:WORDS] or "nothing more"
