"""Toxiproxy really wedges in a run: a toxic is taken off while a client of the link does not read."""

from dataclasses import dataclass
from typing import ClassVar

import redis

from shaketable import At, Load, Scenario, checks, faults

MUCH = 40_000_000


@dataclass(frozen=True)
class SlowAndDeaf(faults.Latency):
    """`Latency`, and a client of ours on the first of its links that asks for much and reads nothing."""

    kind: ClassVar[str] = "slow_and_deaf"

    def inject(self, context: faults.FaultContext) -> None:
        super().inject(context)
        link = context.links.to(self.service, self.process)[0]
        redis.Redis.from_url(context.services.redis_url).set("much", b"x" * MUCH)
        here = context.services.redis_url.replace(str(link.upstream), str(link.listen))
        client = redis.Redis.from_url(here).connection_pool.get_connection()
        client.send_command("GET", "much")  # type: ignore[no-untyped-call]
        context.keep_open("deaf", Deaf(client))

    def heal(self, context: faults.FaultContext) -> None:
        super().heal(context)
        context.release("deaf")
        redis.Redis.from_url(context.services.redis_url).delete("much")


@dataclass(frozen=True)
class Deaf:
    client: redis.Connection

    def close(self) -> None:
        self.client.disconnect()  # type: ignore[no-untyped-call]


SCENARIO = Scenario(
    story="Redis is slow for a worker, and a client on its link does not read: healing comes through all the same.",
    load=Load(rate=40, baseline_s=1, shake_s=6, recover_s=2),
    timeline=(At(1, 3, SlowAndDeaf("redis", 20, process="worker-1")),),
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.1, "retry_cap_s": 1, "lease_s": 2},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented()),
)
