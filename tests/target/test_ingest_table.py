"""[ingest] of contract 2: a sender in the place of HTTP, and which keys contradict it."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from shaketable.errors import InputError, ManifestError, ScenarioError
from shaketable.faults import Down, Kill
from shaketable.faults.fault import Fault
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner import playable
from shaketable.runner.scenario import Scenario
from shaketable.stack.stack import Stack
from shaketable.target import clients, manifest, services

SOUND = """
contract = 2
name = "mine"
[ingest]
sender = "mine.py:Sender"
service = "redis"
[[process]]
name = "worker"
command = ["{python}", "-m", "mine"]
[stored]
sql = "select event_id, event from kept"
[queue]
redis = [{key = "events", type = "stream"}]
"""


def write(path: Path, text: str) -> Path:
    (path / "target.toml").write_text(text)
    return path / "target.toml"


def test_sender_needs_no_process_that_accepts_events(tmp_path: Path) -> None:
    found = manifest.load(write(tmp_path, SOUND))
    assert (found.ingest.process, clients.leads_to(found)) == ("", "redis")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("contract = 2", "contract = 1", "contract = 1 has no ingest.sender, ingest.service: write contract = 2"),
        ("mine.py:Sender", "mine:Sender", "ingest.sender as 'file.py:Class', got 'mine:Sender'"),
        ('sender = "mine.py:Sender"\n', "", "ingest.process is '', expected one of"),
        (
            'sender = "mine.py:Sender"',
            'process = "worker"',
            "ingest.service is for a sender, and ingest.sender is missing",
        ),
        ('service = "redis"', 'service = "nats"', r"ingest.service .* \(postgres, redis\), got 'nats'"),
        ('service = "redis"', 'service = "redis"\nprocess = "worker"', "the clients have one link: leave one out"),
        ('service = "redis"', 'process = "wroker"', "ingest.process is 'wroker', expected one of"),
        ('service = "redis"', 'service = "redis"\npath = "/x"', "ingest.path is for an intake over HTTP"),
        ('service = "redis"', "accepted = [200]\nheaders = {A = 'b'}", "ingest.headers, ingest.accepted is for"),
        ('service = "redis"', 'service = "redis"\nbatch = {size = 2, path = "/x"}', "name size and max_bytes only"),
        (
            'service = "redis"',
            'service = "redis"\nenv = {"A B" = "1"}',
            "expected ingest.env to name a variable, got 'A B'",
        ),
        ('service = "redis"', "service = 'redis'\nenv = {REDIS_URL = 'x'}", "REDIS_URL, and so does service 'redis'"),
        ('service = "redis"', "service = 'redis'\nenv = {A = '{port:worker}'}", "a sender has INGEST_ADDRESS"),
        (
            'sender = "mine.py:Sender"\nservice = "redis"',
            'process = "worker"\nenv = {A = "1"}',
            "ingest.env is for a sender",
        ),
        (
            'sql = "select event_id, event from kept"',
            'url = "/stored"',
            "expected stored.process, since stored.url is on no port",
        ),
    ],
)
def test_what_contradicts_a_sender_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        manifest.load(write(tmp_path, SOUND.replace(old, new)))


def test_sender_is_given_a_secret_that_the_manifest_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SOUND.replace('service = "redis"', 'env = {TOKEN = "t-{env:QUEUE_TOKEN}"}')
    found = manifest.load(write(tmp_path, text))
    with pytest.raises(InputError, match=r"variable QUEUE_TOKEN for env.TOKEN of the sender, got none: set it"):
        services.needed(found, tmp_path, {})
    monkeypatch.setenv("QUEUE_TOKEN", "s3cret")
    services.needed(found, tmp_path, {})
    assert clients.variables(cast(Stack, None), found, None) == {"TOKEN": "t-s3cret"}


def aimed(tmp_path: Path, text: str, *faults: Fault) -> None:
    timeline = tuple(At(n, n + 1, fault) for n, fault in enumerate(faults))
    playable.check(Scenario(story="s", load=Load(), timeline=timeline), manifest.load(write(tmp_path, text)))


def test_fault_breaks_the_link_of_a_sender_with_its_service_or_alone(tmp_path: Path) -> None:
    aimed(
        tmp_path, SOUND, Down("redis"), Down("ingest"), Down("redis", process="worker"), Down("redis", process="intake")
    )
    overlapping = tuple(At(0, 1, fault) for fault in (Down("redis"), Down("ingest")))
    with pytest.raises(ScenarioError, match="clients-redis"):
        playable.check(Scenario(story="s", load=Load(), timeline=overlapping), manifest.load(tmp_path / "target.toml"))


def test_sender_past_the_harness_has_no_link_to_break(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no link leads to 'ingest'"):
        aimed(tmp_path, SOUND.replace('service = "redis"', ""), Down("ingest"))
    with pytest.raises(ScenarioError, match="aims at the intake, and the target has none"):
        aimed(tmp_path, SOUND, Kill("intake"))
