"""Five minutes of load, with a short outage each minute: does anything grow?"""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="300 events/s for 5 minutes, Postgres unavailable 6 s of each: no process grows with its work.",
    load=Load(rate=300, baseline_s=15, shake_s=270, recover_s=25),
    timeline=tuple(At(60 * minute + 20, 60 * minute + 26, faults.Down("postgres")) for minute in range(4)),
    settings={"breaker_recovery_s": 2, "retry_base_s": 0.2, "retry_cap_s": 1, "lease_s": 3, "open_within_s": 6},
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.RecoversInTime(),
        checks.MemoryBounded(per_event_bytes=512, spare_mib=24),
    ),
    nightly=True,
)
