"""What holds of every scenario that comes with the package."""

from __future__ import annotations

import pytest

from shaketable.checks import NoLoss
from shaketable.runner import scenario
from shaketable.runner.scenario import Scenario

SCENARIOS = {name: scenario.load(str(path)) for name, path in scenario.names().items()}
#: What a reliable processor must survive, by the names that people look for.
NAMES = {
    "calm",
    "postgres_outage",
    "postgres_flaky",
    "postgres_slow",
    "postgres_silent",
    "postgres_reset",
    "postgres_crash",
    "commit_replies_lost",
    "deadlocks_and_lock_timeouts",
    "pool_exhausted",
    "postgres_read_only",
    "poison",
    "threshold",
    "redis_drops",
    "redis_outage",
    "redis_slow",
    "redis_out_of_memory",
    "redis_wrong_eviction_policy",
    "redis_crash",
    "enqueue_replies_lost",
    "ingest_replies_lost",
    "worker_killed",
    "worker_frozen",
    "one_worker_cut_off",
    "ingest_killed",
    "rolling_restart",
    "cold_start",
    "cpu_pressure",
    "burst",
    "mixed_types",
    "hot_organization",
    "sustained_1000",
    "cascade",
    "self_heal",
    "storm",
    "long_outage_defaults",
    "memory_soak",
}
#: Longest load of one that is played by `run --all`, in seconds: with its start and its drain it is some 10 s more.
LONGEST_S = 36
#: Shortest time of a fault, in seconds: its witness may take two, and is taken again each second.
SHORTEST_S = 1


@pytest.mark.parametrize("asked", SCENARIOS.values(), ids=list(SCENARIOS))
def test_scenario_asks_for_no_loss_and_is_short_unless_it_is_nightly(asked: Scenario) -> None:
    assert NoLoss.name in [check.name for check in asked.checks]
    assert asked.nightly or asked.load.seconds <= LONGEST_S
    assert len({check.name for check in asked.checks}) == len(asked.checks)


@pytest.mark.parametrize("asked", SCENARIOS.values(), ids=list(SCENARIOS))
def test_faults_of_a_scenario_have_time_to_be_witnessed_and_clients_outlast_them(asked: Scenario) -> None:
    for seed in range(1, 21 if asked.random_timeline else 2):
        for entry in (
            Scenario(asked.story, asked.load, asked.timeline, random_timeline=asked.random_timeline, seed=seed)
            .drawn()
            .timeline
        ):
            assert entry.until_s - entry.at_s >= SHORTEST_S
            assert asked.resend_for_s >= entry.until_s - entry.at_s


def test_the_long_ones_are_nightly() -> None:
    assert {"long_outage_defaults", "memory_soak"} <= {name for name, asked in SCENARIOS.items() if asked.nightly}


def test_catalogue_has_what_people_look_for() -> None:
    assert set(SCENARIOS) >= NAMES
