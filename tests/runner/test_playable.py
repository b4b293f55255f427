"""Scenarios aim at roles, and what cannot be played is known from a manifest alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import shaketable
from shaketable import resources
from shaketable.errors import ManifestError, ScenarioError, ServiceMissing
from shaketable.faults import Down, FaultContext, Kill, Pause
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner import playable, scenario
from shaketable.runner.scenario import Scenario
from shaketable.target import manifest, roles
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest, Process
from shaketable.target.source_tables import Stored
from tests.support import histories as h
from tests.target.test_manifest import SOUND, write

STARTER = Path(shaketable.__file__).parent / "starter" / "target.toml"
SHIPPED = {**resources.targets(), "starter": STARTER}
SCENARIOS = {name: scenario.load(str(path)) for name, path in scenario.names().items()}
#: Each of them; of those whose timeline is random, five of them.
DRAWN = [
    replace(asked, seed=seed).drawn()
    for asked in SCENARIOS.values()
    for seed in range(1, 6 if asked.random_timeline else 2)
]


def process(name: str, count: int = 1, role: manifest.Role | None = None) -> Process:
    return Process(name, ("true",), count, role=role)


def target(*kinds: Process) -> Manifest:
    return Manifest(1, "mine", Ingest(kinds[0].name), kinds, Stored("select", relation="events"))


def named(asked: str, *kinds: Process) -> list[str]:
    return roles.resolve(kinds, kinds[0].name, asked)


@pytest.mark.parametrize("shipped", SHIPPED.values(), ids=list(SHIPPED))
def test_every_scenario_can_be_played_on_every_target_that_we_ship(shipped: Path) -> None:
    found = manifest.load(shipped)
    for drawn in DRAWN:
        refused = _refused(drawn, found)
        if refused == "a fault aims at the intake, and the target has none: ingest.sender sends its events":
            assert found.ingest.sender
        elif refused:  # a target without Redis, or with its events elsewhere, says so in one sentence
            assert "redis" not in found.services or found.store != "postgres"
            assert refused in (
                f"a fault needs redis, and {found.name} uses {' and '.join(found.services)}",
                f"a fault needs events that are stored in postgres, and {found.name} has none",
            )


def _refused(drawn: Scenario, found: Manifest) -> str:
    try:
        playable.check(drawn, found)
    except ServiceMissing as e:
        return str(e)
    return ""


def test_a_role_finds_processes_whatever_they_are_called() -> None:
    kinds = process("api"), process("store", 2), process("mail")
    assert named("intake", *kinds) == named("intake-1", *kinds) == ["api"]
    assert named("worker", *kinds) == ["store-1", "store-2", "mail"]
    assert [named(f"worker-{n}", *kinds) for n in (1, 2, 3)] == [["store-1"], ["store-2"], ["mail"]]


def test_a_name_of_the_manifests_own_comes_before_a_role() -> None:
    kinds = process("ingest"), process("mail", 2), process("worker")
    assert (named("worker", *kinds), named("mail", *kinds)) == (["worker"], ["mail-1", "mail-2"])
    assert [named(f"worker-{n}", *kinds) for n in (1, 2)] == [["worker"], ["mail-1"]]
    assert named("ingest", *kinds) == ["ingest"]


def test_the_only_process_of_a_kind_answers_to_the_name_that_it_has_among_several() -> None:
    kinds = process("ingest"), process("store")
    assert named("store-1", *kinds) == named("store", *kinds) == named("worker-1", *kinds) == ["store"]
    assert named("mail-1", process("mail-1"), process("mail")) == ["mail-1"], "its own name comes first"
    with pytest.raises(ScenarioError, match="store-2"):
        named("store-2", *kinds)


def test_a_manifest_may_say_that_a_process_is_neither() -> None:
    kinds = process("api"), process("clock", 1, "other"), process("store")
    assert (named("worker", *kinds), named("clock", *kinds)) == (["store"], ["clock"])


def test_an_intake_cannot_be_called_a_worker(tmp_path: Path) -> None:
    text = SOUND.replace('name = "api"', 'name = "api"\nrole = "worker"')
    with pytest.raises(ManifestError, match="'api' with role = 'worker'"):
        manifest.load(write(tmp_path, text))


def test_counts_are_of_a_role_too() -> None:
    found = roles.counted(target(process("api"), process("store", 2)), {"worker": 5})
    assert [name for name, _ in found.instances()] == ["api", *(f"store-{n}" for n in range(1, 6))]
    for counts in ({"worker": 0}, {"clerk": 1}):
        with pytest.raises(ScenarioError, match=r"api \(intake\), store-1 \(worker\) and store-2 \(worker\)"):
            roles.counted(target(process("api"), process("store", 2)), counts)
    with pytest.raises(ScenarioError, match="got 1 of 'worker'"):
        roles.counted(target(process("api"), process("store"), process("mail")), {"worker": 1})


def test_a_scenario_that_needs_more_workers_says_so_and_names_a_near_one_that_plays() -> None:
    alone = target(process("api"), process("store"))
    with pytest.raises(ScenarioError) as told:
        playable.fitted(SCENARIOS["worker_frozen"], alone)
    assert told.value.exit_code == 254
    assert "'worker-2'" in str(told.value)
    assert "store (worker)" in str(told.value)
    near = str(told.value).rpartition(" ")[2]
    assert SCENARIOS[near].timeline
    playable.check(SCENARIOS[near], alone)  # raises nothing


def test_nothing_is_proposed_where_nothing_is_near() -> None:
    lonely = target(process("api"))
    asked = Scenario("…", Load(), (At(1, 2, Kill("worker")),), name="mine")
    assert playable.nearest(asked, lonely) not in (None, "worker_killed")
    assert playable.nearest(Scenario("…", Load(), name="mine"), lonely) is None


def test_faults_that_meet_on_one_process_under_two_names_are_seen() -> None:
    meeting = Scenario("…", Load(), (At(1, 4, Pause("worker-1")), At(2, 5, Pause("store"))), name="mine")
    with pytest.raises(ScenarioError, match="overlap on store"):
        playable.check(meeting, target(process("api"), process("store")))


def test_an_own_fault_that_needs_servers_to_aim_is_asked_later() -> None:
    class Odd(Down):
        def targets(self, context: FaultContext) -> list[str]:
            return [context.services.admin_url]

    playable.check(Scenario("…", Load(), (At(1, 2, Odd("postgres")),), name="mine"), target(process("api")))


def test_checks_know_whom_a_role_means() -> None:
    kinds = [{"name": "api", "command": ["x"]}, {"name": "store", "command": ["x"], "count": 2}]
    seen = h.history(h.fault(1, 2, process="worker-2"), h.target(ingest={"process": "api"}, process=kinds))
    aimed = [name for name in ("api", "store-1", "store-2") if seen.is_aimed_at(seen.faults[0], name)]
    assert aimed == ["store-2"]


def test_the_clients_have_a_link_and_no_process() -> None:
    found = manifest.load(resources.target(Path("order-stream")))  # a sender sends to redis
    for fault in (Down("redis", process="clients"), Down("ingest"), Down("redis", process="intake")):
        playable.check(Scenario("…", Load(), (At(1, 2, fault),), name="mine"), found)
    for refused in (Kill("clients"), Pause("clients"), Down("postgres", process="clients")):
        with pytest.raises(ScenarioError, match="got 'clients'"):
            playable.check(Scenario("…", Load(), (At(1, 2, refused),), name="mine"), found)
