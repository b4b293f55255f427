"""What survives: acknowledged writes lost after a SIGKILL and after a power loss, by durability setting.

    python -m bench.durability [--trials 3] [--seconds 2] [--json FILE]

Each trial starts servers of its own, writes from four clients until the server is gone, starts it again, and counts the
acknowledged writes that are missing. The last column is the rate with the disk library and without it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
import redis

from shaketable.stack import ports
from shaketable.stack.choice import Choice
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.stack import Service, Stack
from shaketable.stack.supervisor import Supervisor

CLIENTS = 4
#: The settings by row of the table.
SETTINGS: dict[str, tuple[Service, Mapping[str, str]]] = {
    "appendfsync always": ("redis", {"appendfsync": "always"}),
    "appendfsync everysec": ("redis", {"appendfsync": "everysec"}),
    "appendfsync no": ("redis", {"appendfsync": "no"}),
    "synchronous_commit on": ("postgres", {}),
    "synchronous_commit off": ("postgres", {"synchronous_commit": "off"}),
    "fsync off": ("postgres", {"fsync": "off"}),
}


@dataclass
class Row:
    """One setting: lost of acknowledged writes, for each trial."""

    setting: str
    sigkill: list[tuple[int, int]]
    power_loss: list[tuple[int, int]]
    per_s_with_library: float
    per_s_without: float


@contextmanager
def stack(options: ServerOptions) -> Iterator[Stack]:
    """Servers for one trial."""
    run_id = f"bench{secrets.token_hex(3)}"
    supervisor = Supervisor(run_id)
    try:
        with (
            tempfile.TemporaryDirectory() as logs,
            ports.reserve() as block,
            Choice().open(run_id, block, supervisor, Path(logs), print, options) as opened,
        ):
            yield opened
    finally:
        supervisor.close()


def entries(at: Stack, acknowledged: list[int], first: int) -> None:
    """Add entries until the server is gone."""
    with suppress(redis.RedisError), redis.Redis.from_url(at.redis_url(), socket_timeout=10) as client:
        for number in range(first, 10**9, CLIENTS):
            client.xadd("kept", {"number": number})
            acknowledged.append(number)


def rows(at: Stack, acknowledged: list[int], first: int) -> None:
    """Commit rows until the server is gone."""
    with suppress(psycopg.Error), psycopg.connect(at.owner_url(), autocommit=True) as session:
        for number in range(first, 10**9, CLIENTS):
            session.execute("insert into kept values (%s)", [number])
            acknowledged.append(number)


def present(service: Service, at: Stack) -> set[int]:
    """The numbers that are there."""
    if service == "redis":
        with redis.Redis.from_url(at.redis_url()) as client:
            return {int(fields[b"number"]) for _, fields in client.xrange("kept")}
    with psycopg.connect(at.owner_url()) as session:
        return {int(number) for (number,) in session.execute("select number from kept")}


def trial(
    service: Service, settings: Mapping[str, str], seconds: float, power: bool, library: bool = True
) -> tuple[int, int, float]:
    """Lost and acknowledged writes, and acknowledged ones a second."""
    disks = frozenset[Service]({service} if library else ())
    with stack(ServerOptions({service: settings}, disks)) as at:
        with psycopg.connect(at.owner_url(), autocommit=True) as owner:
            owner.execute("create table kept (number bigint)")
        at.settle()
        acknowledged: list[int] = []
        write: Callable[[Stack, list[int], int], None] = entries if service == "redis" else rows
        threads = [threading.Thread(target=write, args=(at, acknowledged, first)) for first in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        rate = len(acknowledged) / seconds
        at.server(service).kill()
        if power:
            at.disk(service).lose_power()
        for thread in threads:
            thread.join()
        at.server(service).bring_back()
        return len(set(acknowledged) - present(service, at)), len(acknowledged), rate


def measure(setting: str, trials: int, seconds: float) -> Row:
    """All trials of one setting."""
    service, settings = SETTINGS[setting]
    killed = [trial(service, settings, seconds, power=False) for _ in range(trials)]
    cut = [trial(service, settings, seconds, power=True) for _ in range(trials)]
    bare = [trial(service, settings, seconds, power=False, library=False)[2] for _ in range(trials)]
    rates = [rate for _, _, rate in (*killed, *cut)]
    return Row(
        setting,
        [(lost, of) for lost, of, _ in killed],
        [(lost, of) for lost, of, _ in cut],
        round(sum(rates) / len(rates)),
        round(sum(bare) / len(bare)),
    )


def table(found: list[Row]) -> Iterator[str]:
    """The rows as Markdown."""
    yield "| setting | lost after SIGKILL | lost after power loss | writes a second, with the library / without |"
    yield "|---|---|---|---|"
    for row in found:
        told = [", ".join(f"{lost:,} of {of:,}" for lost, of in trials) for trials in (row.sigkill, row.power_loss)]
        yield f"| `{row.setting}` | {told[0]} | {told[1]} | {row.per_s_with_library:,} / {row.per_s_without:,} |"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", type=Path)
    asked, found = parser.parse_args(), list[Row]()
    for setting in SETTINGS:
        found.append(measure(setting, asked.trials, asked.seconds))
        print(list(table(found))[-1], f"load {os.getloadavg()[0]:.1f}", flush=True)
    print("\n".join(table(found)))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(row) for row in found], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
