"""A store that never syncs loses power: what `fsync = off` promises, counted."""

from shaketable import At, Load, Mix, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres runs with fsync off and loses power for 3 s: all that it stored since the load began is lost.",
    load=Load(rate=120, baseline_s=2, shake_s=9, recover_s=5),
    timeline=(At(2, 5, faults.PowerLoss("postgres")),),
    mix=Mix(changed=0),  # other contents under the id of a lost event would be stored
    servers={"postgres": {"fsync": "off"}},
    expects={"no_loss": "failed"},
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.2, "lease_s": 3},
    checks=(checks.NoLoss(), checks.NoDuplicates(), checks.NothingInvented(), checks.ContentIntact()),
    nightly=True,
)
