"""A compose project as the engine reports it: every replica is found, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker.errors import APIError

from shaketable.errors import HarnessError
from shaketable.stack import engine as engines
from shaketable.stack.compose import ComposeStack
from shaketable.stack.project import ONE_OFF, SERVERS, Project

SERVICE = "com.docker.compose.service"


def container(service: str, id_: str, *, running: bool = True, once: bool = False) -> Any:
    labels = {SERVICE: service, ONE_OFF: str(once)}
    told = {
        "Id": id_,
        "State": {"Running": running},
        "Config": {"Env": [f"ID={id_}"], "Image": "reference"},
        "HostConfig": {"RestartPolicy": {"Name": "always"}, "AutoRemove": True, "VolumesFrom": ["theirs"]},
        "NetworkSettings": {"Networks": {"net": {"Gateway": "172.18.0.1"}}},
    }
    return SimpleNamespace(labels=labels, attrs=told)


def project(*more: Any) -> Project:
    found = [*(container(name, name) for name in SERVERS), *more]
    inspected = {one.attrs["Id"]: one.attrs for one in found}
    api = SimpleNamespace(inspect_container=inspected.__getitem__)
    return Project(SimpleNamespace(api=api, containers=SimpleNamespace(list=lambda **_: found)))


def test_every_running_replica_of_the_target_is_found() -> None:
    replicas = [container("worker", "w1"), container("worker", "w2"), container("worker", "w3", running=False)]
    assert [box.id for box in project(container("ingest", "i"), *replicas).target()] == ["i", "w1", "w2"]


def test_process_is_modelled_on_a_running_replica() -> None:
    found = project(container("worker", "old", running=False), container("worker", "new"))
    assert found.kind("worker-1")["Id"] == "new"


def test_container_of_compose_run_is_no_replica_of_its_service() -> None:
    found = project(
        container("postgres", "psql", once=True),
        container("worker", "w1"),
        container("worker", "shell", running=False, once=True),
    )
    assert found.boxes["postgres"].id == "postgres"
    assert [box.id for box in found.target()] == ["w1"]


def test_running_container_of_compose_run_that_may_consume_events_is_refused() -> None:
    with pytest.raises(HarnessError, match="compose run worker"):
        project(container("worker", "w1"), container("worker", "once", once=True))


def test_server_in_several_containers_is_refused() -> None:
    with pytest.raises(HarnessError, match=r"valkey .*several"):
        project(container("valkey", "second"))
    assert project(container("valkey", "second", running=False)).boxes["valkey"].id == "valkey"


def test_container_of_a_run_is_started_by_the_harness_alone(tmp_path: Path) -> None:
    stack = object.__new__(ComposeStack)
    stack._project, stack._run_id, stack._inside = project(container("worker", "w1")), "run", {}
    stack_user = {"STATE_DIR": str(tmp_path)}
    host = stack._configured(stack._project.kind("worker-1"), stack_user)["HostConfig"]
    assert (host["RestartPolicy"], host["AutoRemove"], host["VolumesFrom"]) == ({"Name": "no"}, False, None)
    assert host["Binds"] == [f"{tmp_path}:{tmp_path}"]


def test_engine_that_cannot_start_a_container_is_told() -> None:
    def refuse(_: object) -> None:
        raise APIError("port is already allocated")

    api = SimpleNamespace(create_container_from_config=lambda _: {"Id": "1"}, start=refuse)
    with pytest.raises(HarnessError, match=r"cannot start worker-1: port is already"):
        engines.started(cast(engines.Engine, SimpleNamespace(api=api)), "worker-1", {})
