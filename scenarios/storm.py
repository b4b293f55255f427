"""Many faults, drawn from the seed."""

from shaketable import Load, Scenario, checks, faults

#: No toxic is taken off while somebody does not read: Toxiproxy would wedge, which is mended but is no gust of ours.
TOXIC = "toxic"
#: A trigger is put on and taken off while nobody is frozen: who is may hold a lock on the table.
FROZEN = "frozen"

SCENARIO = Scenario(
    story="Faults of all kinds, drawn from the seed, two at a time: nothing is lost, all is well again.",
    load=Load(rate=120, baseline_s=3, shake_s=25, recover_s=6),
    random_timeline=faults.RandomTimeline(
        (
            faults.choice(faults.Down("postgres"), "postgres", least_s=3),
            faults.choice(faults.Down("postgres", mode="refused"), "postgres", least_s=3),
            faults.choice(faults.Down("postgres", process="worker-1"), "postgres", "worker-1"),
            faults.choice(faults.Flaky("postgres"), "postgres", least_s=3),
            faults.choice(faults.Reset("postgres"), "postgres", TOXIC),
            faults.choice(faults.Silence("postgres"), "postgres", TOXIC, least_s=4, most_s=6),
            faults.choice(faults.Latency("postgres", ms=300), "postgres", TOXIC),
            faults.choice(faults.PostgresCrash(), "postgres", least_s=3),
            faults.choice(faults.ReadOnly(), "postgres", least_s=3),
            faults.choice(faults.TerminateBackends(), "postgres"),
            faults.choice(faults.CommitReplyLost(), "postgres", "redis", "intake", FROZEN, least_s=3),
            faults.choice(faults.Down("redis"), "redis", most_s=4),
            faults.choice(faults.ValkeyCrash(), "redis", most_s=4),
            faults.choice(faults.KillClients(), "redis", most_s=4),
            faults.choice(faults.Silence("redis"), "redis", TOXIC, most_s=4),
            faults.choice(faults.Latency("redis", ms=100), "redis", TOXIC),
            faults.choice(faults.EnqueueReplyLost(), "redis", "intake", TOXIC, most_s=3),
            faults.choice(faults.Down("ingest", mode="refused"), "intake", most_s=3),
            faults.choice(faults.Kill("worker-1"), "worker-1"),
            faults.choice(faults.Kill("worker-2"), "worker-2"),
            faults.choice(faults.Kill("intake"), "intake", most_s=3),
            faults.choice(faults.Pause("worker-1"), "worker-1", TOXIC, FROZEN, least_s=4, most_s=7),
            faults.choice(faults.Pause("worker-2"), "worker-2", TOXIC, FROZEN, least_s=4, most_s=7),
            faults.choice(faults.Terminate("worker-2"), "worker-2", least_s=6, most_s=8),
            faults.choice(faults.Restart("worker"), "worker-1", "worker-2", least_s=6, most_s=8),
            faults.choice(faults.Restart("intake"), "intake", most_s=3),
        ),
        opens_with=(
            faults.choice(faults.Down("postgres"), "postgres", least_s=4),
            faults.choice(faults.Down("postgres", mode="refused"), "postgres", least_s=4),
            faults.choice(faults.PostgresCrash(), "postgres", least_s=4),
            faults.choice(faults.ReadOnly(), "postgres", least_s=4),
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
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.BreakerBehaves(),
        checks.RecoversInTime(commit_within_s=8, closed_within_s=8, healthy_within_s=12, backlog_within_s=15),
    ),
)
