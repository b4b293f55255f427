"""A queue that syncs once a second loses power: what `appendfsync everysec` promises, counted."""

from shaketable import At, Load, Mix, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is down, so events wait in a Valkey with appendfsync everysec, which loses power: some are lost.",
    load=Load(rate=120, baseline_s=2, shake_s=11, recover_s=4),
    timeline=(At(1, 8, faults.Down("postgres")), At(4.5, 7, faults.PowerLoss("redis"))),
    mix=Mix(changed=0),  # other contents under the id of a lost event would be stored
    servers={"redis": {"appendfsync": "everysec"}},
    expects={"no_loss": "failed"},
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.2, "lease_s": 3},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented(), checks.ContentIntact()),
    nightly=True,
)
