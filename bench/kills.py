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
    ids: int  # different ones among the stored
    out_of_order: int

    @property
    def held(self) -> bool:
        """Nothing lost, doubled, or out of order."""
        return self.acknowledged == self.stored == self.ids and self.out_of_order == 0


def run(rounds: int, seed: int | None = None) -> Kills:
    """So many rounds; the seed is told, so that the same choices can be made again."""
    seed = random.randrange(2**32) if seed is None else seed
    say(f"seed {seed}")
    with stage() as one:
        told = _rounds(one, rounds, random.Random(seed))
    say(f"{told}: {'nothing lost, doubled or out of order' if told.held else 'FAILED'}")
    return told


def _rounds(one: Stage, rounds: int, dice: random.Random) -> Kills:
    port = one.start("ingest", "ingest")
    for name in WORKERS:
        _start(one, name)
    one.await_lanes("ingest")
    over, answered, done = threading.Event(), dict[str, float](), {"killed": 0, "frozen": 0}
    sending = threading.Thread(target=lambda: answered.update(play(port, _paced(over), 1, 1)))
    sending.start()
    for number in range(rounds):
        time.sleep(dice.uniform(0, 1))
        victim, how = dice.choice(WORKERS), dice.choice(list(done))
        say(f"round {number + 1} of {rounds}: {victim} {how}, {one.queued():,} in the queue")
        _kill(one, victim) if how == "killed" else _freeze(one, victim, dice)
        done[how] += 1
    over.set()
    sending.join()
    acknowledged = int(answered["accepted"])
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


def _count(one: Stage, done: dict[str, int], acknowledged: int) -> Kills:
    row = one.database.execute("select count(*), count(distinct event_id) from audit_log").fetchone()
    disorder = one.database.execute(_DISORDER).fetchone()
    assert row
    assert disorder
    return Kills(done, acknowledged, int(row[0]), int(row[1]), int(disorder[0]))
