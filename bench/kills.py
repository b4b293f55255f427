"""Kills: two workers, one of them killed or frozen at random, again and again, while events come in."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator

import msgspec

from bench.events import bodies
from bench.load import play
from bench.rates import WORKERS
from bench.stage import Stage, say, stage

#: The workers' lease, in seconds: a frozen one sleeps through it.
LEASE_S = 2.0
#: Seconds between two events, all over one connection, so that their order is known.
PACE_S = 0.001
ORGANIZATIONS = 20

#: Neighbours of one organization, in the order of their commits, whose ids (which ascend) do not.
_DISORDER = """
select count(*) from (
    select event_id, lag(event_id) over (
        partition by organization_id order by pg_xact_commit_timestamp(xmin), position
    ) as before from audit_log
) as neighbours where before >= event_id
"""


class Kills(msgspec.Struct):
    """What became of the events."""

    rounds: dict[str, int]
    acknowledged: int
    stored: int
    doubled: int  # more rows than ids
    lost: int  # acknowledged, and not stored
    invented: int  # stored, and not acknowledged: no answer is unknown here
    out_of_order: int

    @property
    def held(self) -> bool:
        """Nothing lost, doubled, invented, or out of order."""
        return not (self.doubled or self.lost or self.invented or self.out_of_order)


def run(rounds: int, seed: int | None = None) -> Kills:
    """So many rounds; the seed is told, so that the same choices can be made again."""
    seed = random.randrange(2**32) if seed is None else seed
    say(f"seed {seed}")
    with stage() as one:
        told = _rounds(one, rounds, random.Random(seed))
    say(f"{told}: {'nothing lost, doubled, invented or out of order' if told.held else 'FAILED'}")
    return told


def _rounds(one: Stage, rounds: int, dice: random.Random) -> Kills:
    port = one.start("ingest", "ingest")
    for name in WORKERS:
        _start(one, name)
    one.await_lanes("ingest")
    over, acknowledged, done = threading.Event(), set[str](), {"killed": 0, "frozen": 0}
    sending = threading.Thread(target=play, args=(port, _paced(over), 1, 1, acknowledged))
    sending.start()
    for number in range(rounds):
        time.sleep(dice.uniform(0, 1))
        victim, how = dice.choice(WORKERS), dice.choice(list(done))
        say(f"round {number + 1} of {rounds}: {victim} {how}, {one.queued():,} in the queue")
        _kill(one, victim) if how == "killed" else _freeze(one, victim, dice)
        done[how] += 1
    over.set()
    sending.join()
    one.await_empty()
    return _count(one, done, acknowledged)


def _start(one: Stage, name: str) -> None:
    one.start("work", name, LEASE_S=f"{LEASE_S}", ATTEMPT_TIMEOUT_S="1")


def _kill(one: Stage, name: str) -> None:
    child, _ = one.processes.pop(name)
    child.kill()
    _start(one, name)


def _freeze(one: Stage, name: str, dice: random.Random) -> None:
    child, _ = one.processes[name]
    child.send_signal(signal.SIGSTOP)
    time.sleep(dice.uniform(0.2, LEASE_S + 1))
    child.send_signal(signal.SIGCONT)


def _paced(over: threading.Event) -> Iterator[bytes]:
    for body in bodies(10**9, salt=4, organizations=ORGANIZATIONS):
        if over.wait(PACE_S):
            return
        yield body


def _count(one: Stage, done: dict[str, int], acknowledged: set[str]) -> Kills:
    disorder = one.database.execute(_DISORDER).fetchone()
    assert disorder
    rows = [str(event_id) for (event_id,) in one.database.execute("select event_id from audit_log")]
    return compare(done, acknowledged, rows, int(disorder[0]))


def compare(done: dict[str, int], acknowledged: set[str], rows: list[str], disorder: int) -> Kills:
    """Ids with ids: as many as were acknowledged may be stored, and not the same ones."""
    ids = set(rows)
    lost, invented = len(acknowledged - ids), len(ids - acknowledged)
    return Kills(done, len(acknowledged), len(rows), len(rows) - len(ids), lost, invented, disorder)
