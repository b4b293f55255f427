"""`shaketable up`: a target to load, until somebody ends it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import shaketable
from shaketable.cli.up import lines
from shaketable.stack.choice import Choice
from shaketable.stack.service import Service
from tests.runner.test_phases import left_of
from tests.support.cases import nightly

STARTER = Path(shaketable.__file__).parent / "starter" / "target.toml"


def standing(**given: Any) -> Any:
    """Where a target would be."""
    instance = SimpleNamespace(health_url="http://127.0.0.1:2/health")
    service = given.get("service", ())
    return SimpleNamespace(
        manifest=SimpleNamespace(
            name="mine", ingest=SimpleNamespace(path=given.get("path", "/events")), service=service
        ),
        target=SimpleNamespace(intake=SimpleNamespace(listen="127.0.0.1:1"), sender="", instances={"intake": instance}),
        stack=SimpleNamespace(
            services=["postgres", "redis", *(each.name for each in service if each.command)],
            own={each.name: SimpleNamespace(password="t0ken") for each in service if each.command},
            address=lambda _: "127.0.0.1:5",
            service_url=lambda _, at: f"nats://t0ken@{at}",
            owner_url=lambda: "postgresql://events:s3cret@127.0.0.1:3/events?sslmode=disable",
            redis_url=lambda: "redis://:s3cret@127.0.0.1:4/0",
        ),
        logs=Path("logs"),
    )


def told(**given: Any) -> dict[str, str]:
    return dict(lines(standing(**given), given.get("stack", Choice()), passwords=given.get("passwords", False)))


def test_passwords_are_told_only_to_those_who_see_them() -> None:
    assert "s3cret" not in str(told())
    assert told()["database"] == "postgresql://events:***@127.0.0.1:3/events?sslmode=disable"
    assert told()["queue"] == "redis://:***@127.0.0.1:4/0"
    assert told(passwords=True)["queue"] == "redis://:s3cret@127.0.0.1:4/0"


def test_token_and_a_password_between_words_are_told_only_to_those_who_see_them() -> None:
    own = (
        Service("nats", ("nats", "{port}"), url="nats://{password}@{host}:{port}"),
        Service("postgres", env="DSN", url="host={host} password={password} user={user}"),
    )
    assert (told(service=own)["NATS_URL"], told(service=own)["DSN"]) == (
        "nats://***@127.0.0.1:5",
        "host=127.0.0.1 password=*** user=events",
    )
    assert told(service=own, passwords=True)["NATS_URL"] == "nats://t0ken@127.0.0.1:5"


def test_what_to_type_names_the_address_and_a_path_of_its_own() -> None:
    assert told()["load"].endswith("locustfiles/ingest.py --host http://127.0.0.1:1")
    assert told(path="/in").get("load", "").endswith("--host http://127.0.0.1:1 --path /in")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, nightly(signal.SIGTERM)])
def test_a_target_takes_events_and_ends_with_the_command(number: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "shaketable.cli", "up", "--target", str(STARTER)],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout
        said = ""
        while "Ctrl-C ends it" not in said and (line := process.stdout.readline()):
            said += line
        found = dict(re.findall(r"^  (\w+) +(.+)$", said, re.M))
        run = re.findall(r"shaketable-(up[0-9a-f]+)-", found["logs"])[0]
        event = {"eventId": str(uuid.uuid4()), "timestamp": "2026-11-23T00:00:00Z", "action": "a", "status": "success"}
        answer = httpx.post(found["intake"], content=json.dumps(event), trust_env=False, timeout=60)
        assert answer.status_code == 202, answer.text
        assert httpx.get(found["health"], trust_env=False, timeout=60).status_code == 200
        assert found["database"].startswith("postgresql://")
        assert ":***@" in found["database"]  # no terminal
        assert left_of(run)
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, "")
        assert left_of(run) == []
        assert not Path(found["logs"]).exists()
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
