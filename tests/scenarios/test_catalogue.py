"""What holds of every scenario that comes with the package."""

from __future__ import annotations

from collections import Counter

import pytest

from reference_impl.queue import streams
from reference_impl.settings import Settings
from shaketable.checks import CHECKS, NoLoss
from shaketable.clock import SECOND
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.schedule import schedule
from shaketable.runner import scenario
from shaketable.runner.scenario import Scenario
from tests.scenarios.evidence import provided

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
    "poison_in_bursts",
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
UNSEEN = "neither a sink nor the store's log sees who tries meanwhile"
BRIEF = "an outage in it is too brief to judge the score"
UNTRIED = "the reference has not been run with it"
PASSING = "a state in it is too brief to judge"
LOSSY = "its servers are set up to lose, and the loss is what it shows"
#: Checks that a scenario provides evidence for and leaves out, with the reason.
LEFT_OUT = {
    "cascade": {"health_honest": BRIEF, "status_honest": PASSING},
    "cold_start": {"retries_bounded": UNSEEN},
    "failing_disk": {"health_honest": BRIEF, "retries_bounded": UNSEEN, "status_honest": PASSING},
    "hundred_events": {"status_honest": "it is over before a status is due"},
    "ingest_killed": {"health_honest": "the process that is killed is the one that answers"},
    "long_outage_defaults": {"status_honest": UNTRIED},
    "memory_soak": dict.fromkeys(("health_honest", "intake_survives", "retries_bounded"), BRIEF),
    "one_worker_gone": {"recovers_in_time": "nothing is due after the healing"},
    "outage_of_fifty": {"retries_bounded": UNSEEN},
    "postgres_crash": {"retries_bounded": UNSEEN},
    "postgres_reset": {"retries_bounded": UNSEEN},
    "postgres_silent": {"retries_bounded": UNSEEN},
    "power_loss": {"health_honest": BRIEF, "retries_bounded": UNSEEN, "status_honest": PASSING},
    "power_loss_everysec": dict.fromkeys(CHECKS.kinds(), LOSSY),
    "power_loss_no_fsync": dict.fromkeys(CHECKS.kinds(), LOSSY),
    "power_loss_torn": {"health_honest": BRIEF, "retries_bounded": UNSEEN, "status_honest": PASSING},
    "redis_wrong_eviction_policy": dict.fromkeys(
        ("breaker_behaves", "health_honest", "intake_survives", "retries_bounded", "status_honest"),
        "the intake must refuse meanwhile",
    ),
    "self_heal": {"retries_bounded": UNSEEN},
    "slow_disk": dict.fromkeys(("health_honest", "recovers_in_time"), "the servers still sync after the healing"),
    "storm": dict.fromkeys(
        ("health_honest", "intake_survives", "retries_bounded", "status_honest"), "each seed draws other faults"
    ),
    "threshold": dict.fromkeys(("health_honest", "recovers_in_time"), "it counts failures, a few of them"),
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


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_names_every_check_for_which_it_provides_evidence(name: str) -> None:
    drawn = SCENARIOS[name].drawn()
    missing = set(provided(drawn)) - {check.name for check in drawn.checks}
    assert missing - LEFT_OUT.get(name, {}).keys() == set(), "name it, or say in LEFT_OUT why not"
    if LOSSY not in LEFT_OUT.get(name, {}).values():
        assert LEFT_OUT.get(name, {}).keys() <= missing, "it is named, or provides no evidence: leave the reason out"


def test_the_long_ones_are_nightly() -> None:
    assert {"long_outage_defaults", "memory_soak"} <= {name for name, asked in SCENARIOS.items() if asked.nightly}


def test_outage_leaves_a_backlog_of_several_full_batches_in_each_lane() -> None:
    asked = SCENARIOS["postgres_outage"]
    shapes = [Shape(n, Expect.ACCEPT, "", body={"action": f"a{n}"}) for n in range(20)]
    begins, ends = (asked.load.baseline_s + at for at in (asked.timeline[0].at_s, asked.timeline[0].until_s))
    waiting = [p for p in schedule(asked.load, asked.mix, shapes, asked.seed) if begins <= p.at / SECOND < ends]
    lanes = Settings().concurrency
    backlog = Counter(streams.lane_of(p.organization, p.event_id, lanes) for p in waiting)
    assert min(backlog[lane] for lane in range(lanes)) > 3 * float(asked.settings["batch_size"]), backlog


def test_catalogue_has_what_people_look_for() -> None:
    assert set(SCENARIOS) >= NAMES
