"""What this machine's PostgreSQL takes, without a queue, checks or locks: the ceiling, and the floor.

Both write the same events into the reference's own tables with all their indexes, over one connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from bench.events import bodies
from bench.figure import Figure
from bench.meter import Meter
from bench.stage import Stage
from reference_impl.event import event
from reference_impl.queue.streams import Entry
from reference_impl.store import writer
from reference_impl.store.copy_row import build

#: Events a transaction of the ceiling, as many as a worker's.
BATCH = 1000

_KEYS = "insert into audit_event_key (event_id, hash) select event_id, hash from audit_staging"
_LOG = """
insert into audit_log (id, position, event_id, timestamp, action, status, principal_id, organization_id,
    target_resource_type, target_resource_id, outcome_description, ttl, correlation_id, data_classification,
    retention_policy, event_version, details, hash, processing_latency)
select nextval('audit_position'), ordinal, event_id, timestamp, action, status, principal_id, organization_id,
    target_resource_type, target_resource_id, outcome_description, ttl, correlation_id, data_classification,
    retention_policy, event_version, details, hash, 0
from audit_staging
"""
_ONE = """
insert into audit_log (id, position, event_id, timestamp, action, status, principal_id, organization_id,
    target_resource_type, target_resource_id, outcome_description, data_classification, hash, processing_latency)
values (nextval('audit_position'), 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0)
"""


def stamped(count: int, salt: int) -> Iterable[event.Stamped]:
    """Events as the intake accepts them."""
    now = datetime.now(UTC)
    return (event.accept(body, now, 32) for body in bodies(count, salt))


def staged_copy(stage: Stage, count: int, salt: int) -> Figure:
    """The ceiling: lines made ready beforehand, COPY into a staging table, two INSERTs from it, a thousand a time."""
    lines = [_line(one) for one in stamped(count, salt)]
    stage.database.execute(writer.STAGING)

    def batch(number: int) -> None:
        part = lines[number : number + BATCH]
        with stage.database.transaction(), stage.database.cursor() as cursor:
            with cursor.copy(writer.COPY) as copy:
                copy.write("".join([f"{n}\t{line}\n" for n, line in enumerate(part)]))
            cursor.execute(_KEYS)
            cursor.execute(_LOG)

    return _timed(stage, "staged COPY", count, range(0, count, BATCH), batch)


def one_insert(stage: Stage, count: int, salt: int) -> Figure:
    """The floor: one INSERT and one commit an event, as a job of a task queue does it."""
    events = [(one.event, bytes.fromhex(one.hash)) for one in stamped(count, salt)]

    def insert(number: int) -> None:
        one, digest = events[number]
        stage.database.execute(
            _ONE,
            [
                one.event_id,
                one.timestamp,
                one.action,
                one.status,
                one.principal_id,
                one.organization_id,
                one.target_resource_type,
                one.target_resource_id,
                one.outcome_description,
                one.data_classification,
                digest,
            ],
        )

    return _timed(stage, "one INSERT an event", count, range(count), insert)


def _timed(stage: Stage, name: str, count: int, steps: range, do: Callable[[int], None]) -> Figure:
    meter = Meter(stage)
    for number in steps:
        do(number)
    return meter.figure(name, count)


def _line(one: event.Stamped) -> str:
    fields = ["event_id", one.event.event_id or "", "event", msgspec.json.encode(one.event).decode(), "hash", one.hash]
    return build(Entry("1795000000000-0", fields)).line
