"""The files that load from several machines follow their schemas, and name options that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from compose_spec import PyCompose

ROOT = Path(__file__).parents[2]
COMPOSE, KUBERNETES = ROOT / "compose" / "load.yml", ROOT / "deploy" / "kubernetes" / "load.yaml"
SCHEMA = json.loads(Path(__file__).with_name("kubernetes-1.37.json").read_text())


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(KUBERNETES.read_text()))


def check(manifest: dict[str, Any]) -> None:
    """Raise ValidationError unless it follows the strict schema of its kind."""
    kind = SCHEMA["kinds"][f"{manifest['apiVersion']} {manifest['kind']}"]
    jsonschema.Draft7Validator({**kind, "$defs": SCHEMA["$defs"]}).validate(manifest)


def test_compose_file_follows_the_compose_specification() -> None:
    assert PyCompose.from_yaml(COMPOSE.read_text()).service_names() == ["worker"]
    with pytest.raises(ValueError, match="x-"):
        PyCompose.from_yaml(COMPOSE.read_text().replace("read_only", "readonly"))


@pytest.mark.parametrize("manifest", manifests(), ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_kubernetes_manifests_follow_their_schemas(manifest: dict[str, Any]) -> None:
    check(manifest)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("backoffLimit: 0", "backOffLimit: 0"), ("port: 5557", 'port: "many"'), ("maxSkew: 1", ""), ("from:", "form:")],
)
def test_a_mistake_in_a_manifest_is_found(right: str, wrong: str) -> None:
    text = KUBERNETES.read_text()
    assert right in text
    with pytest.raises((jsonschema.ValidationError, yaml.YAMLError)):
        list(map(check, yaml.safe_load_all(text.replace(right, wrong))))


def test_master_waits_for_all_workers_and_only_they_reach_it() -> None:
    named = {(each["kind"], each["metadata"]["name"]): each["spec"] for each in manifests()}
    master, workers = named["Job", "load-master"], named["Job", "load-worker"]
    arguments = master["template"]["spec"]["containers"][0]["args"]
    assert f"--expect-workers={workers['parallelism']}" in arguments
    assert workers["parallelism"] == workers["completions"]
    assert master["template"]["metadata"]["labels"] == named["Service", "load-master"]["selector"]
    policy = named["NetworkPolicy", "load-master"]
    (allowed,) = policy["ingress"]
    assert policy["podSelector"]["matchLabels"] == master["template"]["metadata"]["labels"]
    assert allowed["from"] == [{"podSelector": {"matchLabels": workers["template"]["metadata"]["labels"]}}]


def test_every_option_is_one_of_locust_or_of_ours() -> None:
    words = re.findall(r"^ +- (--[a-z-]+)", COMPOSE.read_text() + KUBERNETES.read_text(), re.M)
    known = (ROOT / "shaketable" / "load" / "options.py").read_text()
    locust = {"--locustfile", "--worker", "--master", "--master-host", "--master-port", "--headless"}
    locust |= {"--expect-workers", "--host", "--users", "--spawn-rate", "--run-time"}
    assert {word for word in words if word not in locust and f'"{word}"' not in known} == set()
    assert "--rate" in words
