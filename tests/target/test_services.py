"""A manifest of contract 2 asks for its services, and its processes are led to them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shaketable.errors import InputError, ManifestError, ServiceMissing
from shaketable.faults import Down, Kill, PostgresCrash, Silence, ValkeyCrash
from shaketable.faults.timeline import At
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.runner import playable
from shaketable.runner.scenario import Scenario
from shaketable.stack.stack import Address, Link, Stack
from shaketable.target import manifest, services
from shaketable.target.manifest import Manifest
from tests.target.test_manifest import SOUND, write

OWN = SOUND.replace("contract = 1", "contract = 2")
NATS = """
[[service]]
name = "nats"
command = ["nats-server", "-p", "{port}"]
url = "nats://{host}:{port}"
"""
URLS = OWN.replace('sql = "select event_id, event from kept"', 'url = "/stored"')


def loaded(path: Path, text: str) -> Manifest:
    return manifest.load(write(path, text))


@pytest.mark.parametrize(
    ("text", "used"),
    [
        (SOUND, ["postgres", "redis"]),
        (OWN, ["postgres"]),
        (URLS, []),
        (URLS + NATS, ["nats"]),
        (OWN + '[queue]\nredis = [{key = "jobs"}]\n', ["postgres", "redis"]),
        (OWN + '[queue]\nsql = "select 1"\n[queue.parked]\nredis = [{key = "failed"}]\n', ["postgres", "redis"]),
        (URLS + '[[service]]\nname = "redis"\n', ["redis"]),
        (OWN.replace('[stored]\nsql = "select event_id, event from kept"', "[outbound]"), ["outbound"]),
    ],
)
def test_target_gets_the_services_that_it_asks_for(tmp_path: Path, text: str, used: list[str]) -> None:
    assert loaded(tmp_path, text).services == used


def process(name: str, count: int = 1) -> str:
    """One more process of a manifest."""
    return f'\n[[process]]\nname = "{name}"\ncommand = ["x"]\ncount = {count}\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SOUND + NATS, "contract = 1 has no service: write contract = 2"),
        (SOUND.replace("count = 2", "count = 2\nenv = {A = 'b'}"), "contract = 1 has no process.env"),
        (SOUND + '[queue]\nsql = "select 1"\n', "contract = 1 has no queue.sql"),
        (OWN + '[queue]\nsql = "select 1"\nurl = "/queue"\n', r"\[queue\] to have one of .* got sql and url"),
        (OWN + "[queue]\n", r"\[queue\] to have one of .* got none"),
        (OWN + '[queue]\nsql = "select 1"\n[queue.parked]\n', r"\[queue.parked\] to have one of"),
        (OWN + '[queue]\nurl = "queue"\n', "queue.url to begin with a slash .* write '/queue'"),
        (OWN + '[queue]\nurl = "/queue"\nprocess = "apy"\n', "queue.process to be one of api, worker, got 'apy'"),
        (OWN + '[queue]\nsql = "select 1"\nprocess = "api"\n', r"queue.process names the port of a url"),
        (OWN + "[outbound]\n", "leave one out"),
        (URLS.replace("[stored]", "[stored]\nrelation = 'kept'"), "the target does not use postgres: leave it out"),
        (
            OWN + '[dead_letters]\nredis = {key = "dead", id = "x"}\n',
            "dead_letters.redis.id as a JSON Pointer, got 'x'",
        ),
        (URLS + NATS + "ready_s = nan\n", "'nats': ready_s from 0 to 86,400 seconds, got nan"),
        (URLS.replace('url = "/stored"', ""), r"\[stored\] to have one of sql, url, command, got none"),
        (OWN + "[mix]\nmalformed = 2\n", "mix.malformed between 0 and 1, got 2"),
        (OWN + '[queue]\nsql = "select 1"\nservice = "natz"\n', r"queue.service to be one .* \(postgres\), got 'natz'"),
        (URLS.replace("[stored]", "[stored]\nservice = 'mysql'"), r"stored.service to be one .* \(none\), got 'mysql'"),
        (OWN.replace("count = 2", "count = 2\nenv = {'A-B' = '1'}"), "name of a variable, got 'A-B'"),
        (OWN.replace("count = 2", "count = 2\nenv = {HTTP_PORT = '1'}"), "variable HTTP_PORT, and so does the harness"),
        (URLS.replace("count = 2", "count = 2\nenv = {NATS_URL = ''}") + NATS, "NATS_URL, and so does service 'nats'"),
        (URLS + NATS + "env = 'HTTP_PORT_WORKER_1'\n", "service 'nats' sets the variable HTTP_PORT_WORKER_1"),
        (URLS.replace("RECOVERY", "NATS_URL") + NATS, r"\[settings\] sets the variable NATS_URL"),
        (OWN.replace("count = 2", "count = 2\nenv = {A = '{port:apy}'}"), "the port of apy: expected one of api"),
        (OWN.replace("[ingest]", 'health_process = "api"\n[ingest]', 1), "a `health` path, got 'api'"),
        (OWN + '[outbound]\npath = "hook"\n', "outbound.path to begin with a slash"),
        (OWN + '[outbound]\npath = "/shaketable-witness"\n', "another outbound.path than /shaketable-witness"),
        (OWN.replace("[ingest]", '[ingest]\npath = "/shaketable-witness"'), "another ingest.path than /shaketable"),
        (
            URLS + NATS.replace('"nats"', '"api"'),
            r"\[\[service\]\] 'api' has the name of a process .*: rename the service",
        ),
        (URLS + NATS.replace('"nats"', '"intake"'), "'intake' has the name of a process or a role"),
        (URLS + NATS.replace('"nats"', '"redis"'), "'redis' is built in: leave out its command"),
        (SOUND.replace('"worker"', '"redis"'), r"\[\[process\]\] 'redis' has the name of a built-in service"),
        (SOUND + process("load"), r"\[\[process\]\] 'load' has the name of the harness's own load"),
        (SOUND + process("twin", 2) + process("twin-2"), "two processes would be called twin-2"),
    ],
)
def test_contradiction_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        loaded(tmp_path, text)


def link(service: str) -> Link:
    return Link("api", service, Address("127.0.0.1", 7), Address("127.0.0.1", 1))


STACK = SimpleNamespace(
    database_url=lambda found, title: f"postgresql://u:p%40@{found.listen}/events?application_name={title}",
    redis_link_url=lambda found: f"redis://:s@{found.listen}/0",
    service_url=lambda service, at: f"{service}://{at}",
)


def variables(found: Manifest, *names: str) -> dict[str, str]:
    return services.through(cast(Stack, STACK), found, {name: link(name) for name in names}, "api.1")


def test_each_service_has_its_variable_through_the_link(tmp_path: Path) -> None:
    assert variables(loaded(tmp_path, URLS + NATS), "nats") == {"NATS_URL": "nats://127.0.0.1:7"}


def test_variable_of_a_built_in_service_is_written_by_its_template(tmp_path: Path) -> None:
    own = '[[service]]\nname = "postgres"\nenv = "DSN"\nurl = "host={host} port={port} password={password}"\n'
    assert variables(loaded(tmp_path, OWN + own), "postgres") == {
        "DATABASE_URL": "postgresql://u:p%40@127.0.0.1:7/events?application_name=api.1",
        "DSN": "host=127.0.0.1 port=7 password=p@",
    }


def test_variables_of_one_name_are_each_process_s_own(tmp_path: Path) -> None:
    text = OWN.replace('name = "api"', 'name = "api"\nenv = {A = "1"}').replace(
        "count = 2", "count = 2\nenv = {A = '2'}"
    )
    assert [kind.env for kind in loaded(tmp_path, text).process] == [{"A": "1"}, {"A": "2"}]


def test_process_knows_the_ports_of_all(tmp_path: Path) -> None:
    found = loaded(tmp_path, OWN.replace("count = 2", "count = 2\nenv = {PEER = 'http://127.0.0.1:{port:api}'}"))
    ports = {name: number for number, (name, _) in enumerate(found.instances(), 8000)}
    assert services.ports(found.process[1], ports) == {
        "HTTP_PORT_API": "8000",
        "HTTP_PORT_WORKER_1": "8001",
        "HTTP_PORT_WORKER_2": "8002",
        "PEER": "http://127.0.0.1:8000",
    }


def test_process_is_given_a_secret_that_the_manifest_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = loaded(tmp_path, OWN.replace("count = 2", "count = 2\nenv = {KEY = '{env:MY_KEY}-1'}"))
    with pytest.raises(InputError, match=r"variable MY_KEY for env.KEY of process 'worker', got none: set it"):
        services.needed(found, tmp_path, {})
    monkeypatch.setenv("MY_KEY", "s3cret")
    services.needed(found, tmp_path, {})
    assert services.ports(found.process[1], {})["KEY"] == "s3cret-1"
    assert "s3cret" not in str(found)


def test_working_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = loaded(tmp_path, OWN.replace("[ingest]", 'cwd = "nowhere"\n[ingest]', 1))
    with pytest.raises(ManifestError, match=r"expected cwd to be a folder, .* got 'nowhere'"):
        services.needed(found, tmp_path, {})


def scenario(fault: Any, **more: Any) -> Scenario:
    return Scenario(
        "a test's", load=Load(rate=1, baseline_s=1, shake_s=9, recover_s=1), timeline=(At(1, 3, fault),), **more
    )


@pytest.mark.parametrize("fault", [Down("nats"), Silence("nats", "api"), Kill("nats")])
def test_faults_are_aimed_at_a_service_by_its_name(tmp_path: Path, fault: Any) -> None:
    playable.check(scenario(fault), loaded(tmp_path, URLS + NATS))


@pytest.mark.parametrize(
    ("fault", "needs"), [(Down("redis"), "redis"), (ValkeyCrash(), "redis"), (PostgresCrash(), "postgres")]
)
def test_fault_on_a_service_that_the_target_does_not_use_says_so(tmp_path: Path, fault: Any, needs: str) -> None:
    with pytest.raises(ServiceMissing, match=f"a fault needs {needs}, and mine uses nats"):
        playable.check(scenario(fault), loaded(tmp_path, URLS + NATS))


def test_manifest_leaves_out_events_that_its_target_never_receives(tmp_path: Path) -> None:
    found = loaded(tmp_path, OWN + "[mix]\nmalformed = 0\ntwins = 0.5\n")
    narrowed = playable.narrowed(scenario(Down("postgres"), mix=Mix(malformed=0.02, twins=0.01)), found)
    assert (narrowed.mix.malformed, narrowed.mix.twins, narrowed.mix.resent) == (0, 0.01, Mix().resent)
