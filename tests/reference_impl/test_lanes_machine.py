"""Lanes against a simple model, on real servers: workers read, commit, delete, die and are fenced off in any order."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis.asyncio import Redis

from reference_impl.delivery import lease
from reference_impl.delivery.consumer import LaneConsumer, WorkerStats, to_batch
from reference_impl.operations.alerts import Alerts
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from reference_impl.resilience.circuit_breaker import Breaker
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.connections import Connection
from reference_impl.store.writer import Store
from tests.reference_impl.conftest import entry
from tests.support.cases import nightly

LANES, MOST_WORKERS = range(2), 3
#: Few ids, so that they come again, in any lane.
IDS = st.sampled_from([str(uuid.UUID(int=n)) for n in range(1, 7)])


@dataclass(eq=False)
class Tenure:
    """One worker's hold of a lane, and how far it is: read, committed."""

    lane: LaneConsumer
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
        self.tenures: list[Tenure] = []

    def run(self, work: Any) -> Any:
        async def whole() -> Any:
            return await work

        return self.runner.run(whole())

    @rule(lane=st.sampled_from(LANES), ids=st.lists(IDS, min_size=1, max_size=5))
    def enqueue(self, lane: int, ids: list[str]) -> None:
        for event_id in ids:
            one = entry(eventId=event_id)
            fields = dict(zip(one.fields[::2], one.fields[1::2], strict=True))
            stream_id: bytes = self.run(self.redis.xadd(streams.key(lane), fields))  # type: ignore[arg-type]
            self.queued[lane].append((stream_id.decode(), event_id))

    @precondition(lambda self: len(self.tenures) < MOST_WORKERS)
    @rule(order=st.permutations(LANES))
    def take(self, order: list[int]) -> None:
        held = {tenure.lane.number for tenure in self.tenures if not tenure.fenced}
        connection = self.run(connections.connect(self.settings))
        number = self.run(lease.try_acquire(connection, order))
        assert number == next((lane for lane in order if lane not in held), None)
        if number is None:
            self.end(connection)
        else:
            self.tenures.append(Tenure(self.run(self.lane(number, connection)), connection))

    async def lane(self, number: int, connection: Connection) -> LaneConsumer:
        store = Store(connection, self.settings, lane=number)
        await store.prepare()
        breaker = Breaker(self.settings, lambda *_: None)
        return LaneConsumer(store, self.redis, breaker, WorkerStats(), Alerts(self.settings))

    def one_of(self, data: st.DataObject) -> Tenure:
        return self.tenures[data.draw(st.integers(0, len(self.tenures) - 1), label="worker")]

    @precondition(lambda self: self.tenures)
    @rule(data=st.data(), count=st.integers(1, 4))
    def read(self, data: st.DataObject, count: int) -> None:
        tenure = self.one_of(data)
        tenure.read = self.run(streams.head(self.redis, tenure.lane.number, count, 10**6))
        told = [(one.id, one.field("event_id")) for one in tenure.read]
        assert told == self.queued[tenure.lane.number][:count]

    @precondition(lambda self: any(tenure.read for tenure in self.tenures))
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        tenure = data.draw(st.sampled_from([tenure for tenure in self.tenures if tenure.read]), label="worker")
        if tenure.fenced:
            with pytest.raises(psycopg.Error):
                self.run(tenure.lane.put(to_batch(tenure.read)))
            self.drop(tenure)
            return
        ids = dict.fromkeys(one.field("event_id") for one in tenure.read)
        new = [event_id for event_id in ids if event_id not in self.stored]
        tally = self.run(tenure.lane.put(to_batch(tenure.read)))
        assert (tally.stored, tally.processed) == (len(new), len(tenure.read))
        self.stored += new
        tenure.committed, tenure.read = tenure.read, []

    @precondition(lambda self: any(tenure.committed for tenure in self.tenures))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Also one that is fenced off may: what it deletes is committed."""
        tenure = data.draw(st.sampled_from([tenure for tenure in self.tenures if tenure.committed]), label="worker")
        self.run(streams.remove(self.redis, tenure.lane.number, tenure.committed))
        gone = {one.id for one in tenure.committed}
        lane = self.queued[tenure.lane.number]
        self.queued[tenure.lane.number] = [one for one in lane if one[0] not in gone]
        tenure.committed = []

    @precondition(lambda self: any(not tenure.fenced for tenure in self.tenures))
    @rule(data=st.data())
    def fence(self, data: st.DataObject) -> None:
        """A waiter ends its session; it goes on as if nothing had happened."""
        tenure = data.draw(st.sampled_from([tenure for tenure in self.tenures if not tenure.fenced]), label="worker")
        self.terminate(tenure.connection)
        tenure.fenced = True

    @precondition(lambda self: self.tenures)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        self.drop(self.one_of(data))

    def drop(self, tenure: Tenure) -> None:
        self.tenures.remove(tenure)
        self.end(tenure.connection)

    def end(self, connection: Connection) -> None:
        self.terminate(connection)
        self.run(connections.close(connection))

    def terminate(self, connection: Connection) -> None:
        gone = "select pg_terminate_backend(pid) from pg_stat_activity where pid = %s"
        while self.admin.execute(gone, [connection.info.backend_pid]).fetchone():  # the server's own wait takes 100 ms
            pass

    @invariant()
    def stored_once_in_the_order_of_reading(self) -> None:
        found = self.admin.execute("select event_id from audit_log order by position").fetchall()
        assert [str(event_id) for (event_id,) in found] == self.stored

    @invariant()
    def nothing_leaves_the_queue_before_it_is_stored(self) -> None:
        for lane in LANES:
            found: list[Any] = self.run(self.redis.xrange(streams.key(lane)))
            assert [stream_id.decode() for stream_id, _ in found] == [one for one, _ in self.queued[lane]]

    def teardown(self) -> None:
        for tenure in list(self.tenures):
            self.drop(tenure)
        self.run(self.redis.aclose())
        self.runner.close()


@pytest.mark.parametrize(
    "examples",
    [pytest.param(10, marks=pytest.mark.slow), nightly(40)],
)
def test_lanes_keep_order_and_owner_whatever_happens(
    settings: Settings, admin: psycopg.Connection[Any], examples: int
) -> None:
    unhurried = {"lease_s": 600, "attempt_timeout_s": 60}  # what ends a session is a rule of the machine alone
    LanesMachine.settings, LanesMachine.admin = msgspec.structs.replace(settings, **unhurried), admin
    run_state_machine_as_test(
        LanesMachine,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
