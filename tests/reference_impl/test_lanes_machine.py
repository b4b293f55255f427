"""Lanes against a simple model, on real servers: workers read, commit, delete, die and are fenced off in any order."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from reference_impl import database, lock, queue
from reference_impl.breaker import Breaker
from reference_impl.lane import Lane, Ledger, _batch
from reference_impl.queue import Entry
from reference_impl.rounds import Rounds
from reference_impl.settings import Settings
from reference_impl.store import Store
from reference_impl.watchdog import Connection
from tests.reference_impl.conftest import entry

LANES, WORKERS = range(3), st.sampled_from(["one", "two", "three"])
#: Few ids, so that they come again, in any lane.
IDS = st.sampled_from([str(uuid.UUID(int=n)) for n in range(1, 9)])


@dataclass
class Tenure:
    """One worker's hold of a lane, and how far it is: read, committed."""

    lane: Lane
    connection: Connection
    fenced: bool = False  # its session is gone, and it does not know
    read: list[Entry] = field(default_factory=list)
    committed: list[Entry] = field(default_factory=list)


class LanesMachine(RuleBasedStateMachine):
    """One owner a lane; of each id the first read is stored, in the order of the queue; nothing else is deleted."""

    settings: Settings
    admin: psycopg.Connection[Any]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis.from_url(self.settings.redis_url)
        self.admin.execute("truncate audit_log, audit_event_key, audit_conflict cascade")
        self.run(self.redis.flushall())
        self.queued: dict[int, list[tuple[str, str]]] = {lane: [] for lane in LANES}  # (stream id, event id)
        self.stored: list[str] = []
        self.tenures: dict[str, Tenure] = {}

    def run(self, work: Any) -> Any:
        async def whole() -> Any:
            return await work

        return self.runner.run(whole())

    @rule(lane=st.sampled_from(LANES), event_id=IDS, times=st.integers(1, 3))
    def enqueue(self, lane: int, event_id: str, times: int) -> None:
        for _ in range(times):
            one = entry(eventId=event_id)
            fields = dict(zip(one.fields[::2], one.fields[1::2], strict=True))
            stream_id: bytes = self.run(self.redis.xadd(queue.key(lane), fields))  # type: ignore[arg-type]
            self.queued[lane].append((stream_id.decode(), event_id))

    @rule(worker=WORKERS, order=st.permutations(LANES))
    def take(self, worker: str, order: list[int]) -> None:
        if worker in self.tenures:
            return
        held = {tenure.lane.number for tenure in self.tenures.values() if not tenure.fenced}
        connection = self.run(database.connect(self.settings))
        number = self.run(lock.take(connection, order))
        assert number == next((lane for lane in order if lane not in held), None)
        if number is None:
            self.end(connection)
        else:
            self.tenures[worker] = Tenure(self.run(self.lane(number, connection)), connection)

    async def lane(self, number: int, connection: Connection) -> Lane:
        store = Store(connection, self.settings)
        await store.prepare()
        breaker = Breaker(self.settings, lambda *_: None)
        return Lane(
            number, store, self.redis, Rounds(breaker, self.settings, asyncio.sleep), Ledger(), self.settings
        )  # fmt: skip

    @rule(worker=WORKERS, count=st.integers(1, 4))
    def read(self, worker: str, count: int) -> None:
        if tenure := self.tenures.get(worker):
            tenure.read = self.run(queue.head(self.redis, tenure.lane.number, count, 10**6))
            told = [(one.id, one.field("event_id")) for one in tenure.read]
            assert told == self.queued[tenure.lane.number][:count]

    @rule(worker=WORKERS)
    def commit(self, worker: str) -> None:
        tenure = self.tenures.get(worker)
        if tenure is None or not tenure.read:
            return
        if tenure.fenced:
            with pytest.raises(psycopg.Error):
                self.run(tenure.lane.put(_batch(tenure.read)))
            self.die(worker)
            return
        new = dict.fromkeys(one.field("event_id") for one in tenure.read)
        new_ids = [event_id for event_id in new if event_id not in self.stored]
        tally = self.run(tenure.lane.put(_batch(tenure.read)))
        assert (tally.stored, tally.taken) == (len(new_ids), len(tenure.read))
        self.stored += new_ids
        tenure.committed, tenure.read = tenure.read, []

    @rule(worker=WORKERS)
    def delete(self, worker: str) -> None:
        """Also one that is fenced off may: what it deletes is committed."""
        if (tenure := self.tenures.get(worker)) and tenure.committed:
            self.run(queue.remove(self.redis, tenure.lane.number, tenure.committed))
            gone = {one.id for one in tenure.committed}
            lane = self.queued[tenure.lane.number]
            self.queued[tenure.lane.number] = [one for one in lane if one[0] not in gone]
            tenure.committed = []

    @rule(worker=WORKERS)
    def fence(self, worker: str) -> None:
        """A waiter ends its session; it goes on as if nothing had happened."""
        if (tenure := self.tenures.get(worker)) and not tenure.fenced:
            self.terminate(tenure.connection)
            tenure.fenced = True

    @rule(worker=WORKERS)
    def die(self, worker: str) -> None:
        if tenure := self.tenures.pop(worker, None):
            self.end(tenure.connection)

    def end(self, connection: Connection) -> None:
        self.terminate(connection)
        self.run(database.close(connection))

    def terminate(self, connection: Connection) -> None:
        self.admin.execute("select pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])

    @invariant()
    def stored_once_in_the_order_of_reading(self) -> None:
        found = self.admin.execute("select event_id from audit_log order by position").fetchall()
        assert [str(event_id) for (event_id,) in found] == self.stored

    @invariant()
    def nothing_leaves_the_queue_before_it_is_stored(self) -> None:
        for lane in LANES:
            found: list[Any] = self.run(self.redis.xrange(queue.key(lane)))
            assert [stream_id.decode() for stream_id, _ in found] == [one for one, _ in self.queued[lane]]

    def teardown(self) -> None:
        for worker in list(self.tenures):
            self.die(worker)
        self.run(self.redis.aclose())
        self.runner.close()


def test_lanes_keep_order_and_owner_whatever_happens(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    LanesMachine.settings, LanesMachine.admin = settings, admin
    run_state_machine_as_test(
        LanesMachine,
        settings=hypothesis_settings(
            max_examples=15,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
