"""docker-compose.chaos.yml: without secrets it says so by name; up, shaken and down again it leaves nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shaketable.errors import HarnessError
from shaketable.stack import engine, postgres, project
from shaketable.stack.project import Project, held
from tests.stack.test_engine import holds, killed

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.chaos.yml"
BRIEF = ROOT / "tests" / "stack" / "scenarios" / "brief.py"
PROJECT = "shaketable-test"
SECRETS = ("POSTGRES_PASSWORD", "EVENTS_PASSWORD", "VALKEY_PASSWORD", "GRAFANA_PASSWORD")
ENV = {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, **{name: f"test-{name.lower()}" for name in SECRETS}}


def compose(*words: str, env: dict[str, str] = ENV) -> subprocess.CompletedProcess[str]:
    command = ["docker", "compose", "--env-file", "/dev/null", "-f", str(FILE), *words]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT)


def left() -> dict[str, list[str]]:
    """What the engine still has of the project."""
    client = engine.connect(engine.found())
    mine, runs = ({"label": f"{label}={PROJECT}"} for label in ("com.docker.compose.project", project.LABEL))
    found = {
        "containers": client.containers.list(all=True, ignore_removed=True, filters=mine),
        "runs": client.containers.list(all=True, ignore_removed=True, filters=runs),
        "volumes": client.volumes.list(filters=mine),
        "networks": client.networks.list(filters=mine),
    }
    client.close()
    return {what: [one.name for one in those] for what, those in found.items()}


@pytest.fixture(scope="module")
def up() -> Iterator[None]:
    said = compose("up", "--build", "--wait")
    assert said.returncode == 0, said.stderr
    yield
    said = compose("--profile", "*", "down", "--volumes")
    assert said.returncode == 0, said.stderr
    assert left() == {"containers": [], "runs": [], "volumes": [], "networks": []}


def test_postgres_is_set_as_on_the_local_stack() -> None:
    told = dict(re.findall(r"^ +- -c(\w+)=(.*)$", FILE.read_text(), re.M))
    ours = {**postgres.SETTINGS, "listen_addresses": "*"}
    del ours["unix_socket_directories"]
    assert told == ours


def test_every_port_is_published_on_loopback_and_every_image_pinned() -> None:
    text = FILE.read_text()
    ports = re.findall(r'^ +(?:ports: \[|- )"([\d.:-]+)"', text, re.M)
    assert len(ports) == 8
    assert all(port.startswith("127.0.0.1:") for port in ports)
    images = re.findall(r"image: (\S+)", text)
    assert len(images) == 7
    assert not [image for image in images if ":" not in image or image.endswith(":latest")]


@pytest.mark.containers
@pytest.mark.parametrize("name", SECRETS)
def test_without_a_secret_it_fails_by_name(name: str) -> None:
    without = {key: value for key, value in ENV.items() if key != name}
    said = compose("--profile", "*", "config", "--quiet", env=without)
    assert said.returncode != 0
    assert name in said.stderr
    assert "make env" in said.stderr


@pytest.mark.containers
def test_every_service_has_limits_and_waits_for_what_it_needs() -> None:
    told: dict[str, Any] = json.loads(compose("--profile", "*", "config", "--format", "json").stdout)["services"]
    assert {"postgres", "valkey", "toxiproxy", "setup", "ingest", "worker", "locust", "prometheus", "grafana"} == set(
        told
    )
    assert [name for name, service in told.items() if not service.get("mem_limit") or not service.get("cpus")] == []
    waits = {
        condition["condition"] for service in told.values() for condition in service.get("depends_on", {}).values()
    }
    assert waits == {"service_healthy", "service_completed_successfully"}


@pytest.mark.containers
def test_shaken_on_containers_nothing_is_lost_and_nothing_stays(up: None, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "shaketable.cli", "run", str(BRIEF), "--stack", "compose", "--runs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENV, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    told = msgspec.json.decode((tmp_path / "latest" / "verdict.json").read_bytes())
    assert [fault["landed"] for fault in told["faults"]] == [True] * 5
    assert "received.jsonl" in {path.name for path in (tmp_path / "latest").resolve().iterdir()}
    assert left()["runs"] == []


@pytest.mark.containers
def test_project_that_is_not_up_is_told_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "shaketable-nowhere")
    client = engine.connect(engine.found())
    with pytest.raises(HarnessError, match=r"postgres, valkey, toxiproxy .* is not running.*up --build --wait"):
        Project(client)
    client.close()


def test_two_runs_do_not_stand_on_one_project() -> None:
    with held("shaketable-test"), pytest.raises(HarnessError, match="another run"), held("shaketable-test"):
        pass


@pytest.mark.containers
def test_killed_harness_leaves_the_services_as_they_were(up: None, tmp_path: Path) -> None:
    run_id = killed("compose", tmp_path, ENV)
    client = engine.connect(engine.found())

    def as_before() -> bool:
        mine = client.containers.list(ignore_removed=True, filters={"label": f"com.docker.compose.project={PROJECT}"})
        running = {one.labels["com.docker.compose.service"] for one in mine if one.status == "running"}
        return running == {"postgres", "valkey", "toxiproxy", "ingest", "worker"} and not left()["runs"]

    assert run_id
    assert holds(as_before)
    client.close()
