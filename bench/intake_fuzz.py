"""Fuzz: mutants of events, alone and in batches, at a real intake; no answer of 5xx, and every 202 is stored."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import msgspec

from bench.mutants import bodies
from bench.rates import WORKERS
from bench.stage import Stage, say, stage

#: Requests under way at once, and how many lines a batch has at most.
CLIENTS, LINES = 6, 60
#: Seconds that an answer may take, and between two looks at /health.
ANSWER_S, LOOK_S = 10.0, 0.05

#: Ids that were accepted and are neither stored nor dead letters.
_KEPT = "select event_id from audit_log union select event_id from audit_dead_letter"


class Fuzz(msgspec.Struct):
    """What became of the bodies."""

    seed: int
    bodies: int
    answers: dict[str, int]  # bodies by the status of their answer; "none" where the connection ended instead
    accepted: int  # ids answered with 202
    missing: list[str]  # of them, neither stored nor dead letters
    dead_letters: int
    health_looks: int
    health_silent: int  # looks at /health that had no answer in time
    health_longest_ms: float

    @property
    def held(self) -> bool:
        """Every body was answered, none by 5xx; every 202 is kept; /health always answered."""
        answered = all(status[0] in "24" for status in self.answers)
        return answered and not self.missing and self.health_looks > 0 and not self.health_silent


def run(count: int, seed: int | None = None) -> Fuzz:
    """Post so many bodies; the seed is printed, so that the same ones can be made again."""
    seed = random.randrange(2**32) if seed is None else seed
    say(f"seed {seed}")
    with stage() as one:
        found = _played(one, count, seed)
    say(f"{found}: {'held' if found.held else 'FAILED'}")
    return found


def _played(one: Stage, count: int, seed: int) -> Fuzz:
    port = one.start("ingest", "ingest")
    for name in WORKERS:
        one.start("work", name)
    one.await_lanes("ingest")
    feed, look = Feed(count, seed), Look(port)
    clients = [Client(port, feed, seed + number) for number in range(CLIENTS)]
    for thread in (look, *clients):
        thread.start()
    for client in clients:
        client.join()
    look.over.set()
    look.join()
    one.await_empty()
    answers, accepted = Counter[str](), set[str]()
    for client in clients:
        answers += client.answers
        accepted |= client.accepted
    kept = {str(event_id) for (event_id,) in one.database.execute(_KEPT)}
    letters = one.database.execute("select count(*) from audit_dead_letter").fetchone()
    return Fuzz(
        seed,
        count,
        dict(sorted(answers.items())),
        len(accepted),
        sorted(accepted - kept),
        letters[0] if letters else 0,
        look.looks,
        look.silent,
        round(look.longest_s * 1000, 1),
    )


class Feed:
    """Bodies for several threads; half of the requests are batches."""

    def __init__(self, count: int, seed: int) -> None:
        self._left: Iterator[bytes] = bodies(count, seed)
        self._dice, self._lock = random.Random(seed), threading.Lock()

    def take(self) -> list[bytes]:
        """The bodies of one request; none at the end."""
        with self._lock:
            return list(islice(self._left, 1 if self._dice.random() < 0.95 else self._dice.randint(2, LINES)))


class Client(threading.Thread):
    """Posts over one connection at a time, and counts the answers."""

    def __init__(self, port: int, feed: Feed, seed: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        self._feed, self._dice = feed, random.Random(seed)
        self.answers, self.accepted = Counter[str](), set[str]()

    def run(self) -> None:
        """Until the feed ends."""
        while batch := self._feed.take():
            try:
                self._post(batch)
            except (OSError, http.client.HTTPException):
                self.answers["none"] += len(batch)
                self._connection.close()
        self._connection.close()

    def _post(self, batch: list[bytes]) -> None:
        body, path = b"\n".join(batch), "/events/batch" if len(batch) > 1 else "/events"
        in_chunks = self._dice.random() < 0.1
        self._connection.request(
            "POST",
            path,
            iter([body[:100], body[100:]]) if in_chunks else body,
            {"Content-Type": "application/json"},
            encode_chunked=in_chunks,
        )
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status == 207:
            for line in text.splitlines():
                one = json.loads(line)
                self._count(one["status"], one["answer"])
            self.answers["2xx, an empty line"] += sum(not one.strip() for one in batch)
        else:
            self._count(answer.status, json.loads(text), len(batch))

    def _count(self, status: int, told: dict[str, str], times: int = 1) -> None:
        self.answers[f"{status}"] += times
        if status == 202:
            self.accepted.add(told["eventId"])


class Look(threading.Thread):
    """Asks /health again and again, each time over a connection of its own."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port, self.over = port, threading.Event()
        self.looks, self.silent, self.longest_s = 0, 0, 0.0

    def run(self) -> None:
        """Until it is over."""
        while not self.over.wait(LOOK_S):
            began = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
            try:
                connection.request("GET", "/health")
                self.silent += connection.getresponse().status != 200
            except (OSError, http.client.HTTPException):
                self.silent += 1
            finally:
                connection.close()
            self.looks += 1
            self.longest_s = max(self.longest_s, time.perf_counter() - began)
