"""Many faults, drawn from the seed."""

from shaketable.checks import (
    BreakerBehaves,
    ContentIntact,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import (
    CommitReplyLost,
    Down,
    EnqueueReplyLost,
    Flaky,
    Kill,
    KillClients,
    Latency,
    Pause,
    PostgresCrash,
    ReadOnly,
    Reset,
    Restart,
    Silence,
    Terminate,
    TerminateBackends,
    ValkeyCrash,
)
from shaketable.faults.random_timeline import Storm, gust
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

#: No toxic is taken off while somebody does not read: Toxiproxy would wedge, which is mended but is no gust of ours.
TOXIC = "toxic"
#: A trigger is put on and taken off while nobody is frozen: who is may hold a lock on the table.
FROZEN = "frozen"

SCENARIO = Scenario(
    story="Faults of all kinds, drawn from the seed, two at a time: nothing is lost, all is well again.",
    load=Load(rate=120, baseline_s=3, shake_s=25, recover_s=6),
    storm=Storm(
        (
            gust(Down("postgres"), "postgres", least_s=3),
            gust(Down("postgres", mode="refused"), "postgres", least_s=3),
            gust(Down("postgres", process="worker-1"), "postgres", "worker-1"),
            gust(Flaky("postgres"), "postgres", least_s=3),
            gust(Reset("postgres"), "postgres", TOXIC),
            gust(Silence("postgres"), "postgres", TOXIC, least_s=4, most_s=6),
            gust(Latency("postgres", ms=300), "postgres", TOXIC),
            gust(PostgresCrash(), "postgres", least_s=3),
            gust(ReadOnly(), "postgres", least_s=3),
            gust(TerminateBackends(), "postgres"),
            gust(CommitReplyLost(), "postgres", "redis", "intake", FROZEN, least_s=3),
            gust(Down("redis"), "redis", most_s=4),
            gust(ValkeyCrash(), "redis", most_s=4),
            gust(KillClients(), "redis", most_s=4),
            gust(Silence("redis"), "redis", TOXIC, most_s=4),
            gust(Latency("redis", ms=100), "redis", TOXIC),
            gust(EnqueueReplyLost(), "redis", "intake", TOXIC, most_s=3),
            gust(Down("ingest", mode="refused"), "intake", most_s=3),
            gust(Kill("worker-1"), "worker-1"),
            gust(Kill("worker-2"), "worker-2"),
            gust(Kill("intake"), "intake", most_s=3),
            gust(Pause("worker-1"), "worker-1", TOXIC, FROZEN, least_s=4, most_s=7),
            gust(Pause("worker-2"), "worker-2", TOXIC, FROZEN, least_s=4, most_s=7),
            gust(Terminate("worker-2"), "worker-2", least_s=6, most_s=8),
            gust(Restart("worker"), "worker-1", "worker-2", least_s=6, most_s=8),
            gust(Restart("intake"), "intake", most_s=3),
        ),
        opens_with=(
            gust(Down("postgres"), "postgres", least_s=4),
            gust(Down("postgres", mode="refused"), "postgres", least_s=4),
            gust(PostgresCrash(), "postgres", least_s=4),
            gust(ReadOnly(), "postgres", least_s=4),
        ),
    ),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "attempt_timeout_s": 3,
        "open_within_s": 6,
        "health_grace_s": 2,
    },
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        BreakerBehaves(),
        RecoversInTime(commit_within_s=8, closed_within_s=8, healthy_within_s=12, backlog_within_s=15),
    ),
)
