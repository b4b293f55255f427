"""A manifest says of itself what is wrong with it, in one sentence with the value and the remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shaketable.errors import ManifestError
from shaketable.target import manifest
from shaketable.target.manifest import Timing
from shaketable.target.settings import judged_by, not_taken, translate

SOUND = """
contract = 1
name = "mine"
[ingest]
process = "api"
[[process]]
name = "api"
command = ["{python}", "-m", "mine"]
[[process]]
name = "worker"
command = ["{python}", "-m", "mine"]
count = 2
[stored]
sql = "select event_id, event from kept"
[settings]
breaker_recovery_s = "RECOVERY"
"""


def write(path: Path, text: str) -> Path:
    (path / "target.toml").write_text(text)
    return path / "target.toml"


def test_processes_of_a_kind_are_numbered(tmp_path: Path) -> None:
    found = manifest.load(write(tmp_path, SOUND))
    assert [name for name, _ in found.instances()] == ["api", "worker-1", "worker-2"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("contract = 1", "contract = 7", "expected contract = 1 or contract = 2, got 7"),
        ('process = "api"', 'process = "apy"', "ingest.process is 'apy', expected one of"),
        ("count = 2", "cuont = 2", r"\[process\] has no key 'cuont': write 'count'"),
        ("contract = 1", "contract = 1\nzzz = 1", "the manifest has no key 'zzz': it has .*ingest.*stored"),
        ("[settings]", "[settings]\nlease_s = '9 A=B'", "settings.lease_s to name a variable, got '9 A=B'"),
        ('name = "mine"', 'name = "../mine"', "expected name .* without `/`.* got '../mine'"),
        ('name = "mine"', 'name = ""', "expected name .* got ''"),
        ("count = 2", "ready_s = nan", "ready_s of process 'worker' from 0 to 86,400 seconds, got nan"),
        ("count = 2", "stop_s = inf", "stop_s of process 'worker' .* got inf"),
        ("count = 2", "count = 100000", "a count from 1 to 100, got count = 100000"),
        ("[settings]", "[timing]\nlease_s = -3\n[settings]", "timing.lease_s from 0 to 86,400 seconds, got -3"),
        ("[settings]", "[timing]\nfailure_threshold = 0\n[settings]", "failure_threshold of at least 1, got 0"),
        ('process = "api"', 'process = "api"\ndefinite_refusals = [99999]', r"from 100 to 599, got \[99999\]"),
        ("count = 2", 'count = "two"', "int"),
        ("count = 2", "count = 0", "a count from 1 to 100, got count = 0"),
        ('name = "worker"', 'name = "api"', "a name of its own"),
        ("[stored]", "[stored", "target.toml"),
        ("count = 2", 'health = "healthz"', "health of process 'worker' .* got 'healthz': write '/healthz'"),
        ("count = 2", 'health = ""', "begin with a slash .* got ''"),
        ('process = "api"', 'process = "api"\npath = "events"', "ingest.path .* got 'events': write '/events'"),
        ('process = "api"', 'process = "api"\npath = "/ev ents"', "ingest.path .* got '/ev ents'"),
        (
            'process = "api"',
            'process = "api"\npath = "//events"',
            "ingest.path to begin with one slash, .* write '/events'",
        ),
        ('process = "api"', 'process = "api"\npath = "/év?a=%41"', r"ingest.path in ASCII, .* write '/%C3%A9v\?a=%41'"),
        ("[settings]", '[dead_letters]\nurl = "http://x/dead"\n[settings]', "dead_letters.url .* got 'http"),
        ("count = 2", 'role = "clerk"', "role"),
        ('sql = "select event_id, event from kept"', "", "sql"),
    ],
)
def test_what_does_not_fit_the_contract_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        manifest.load(write(tmp_path, SOUND.replace(old, new)))


def test_manifest_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        manifest.load(tmp_path / "target.toml")


def test_settings_reach_the_target_by_its_own_names_and_others_are_left_out(tmp_path: Path) -> None:
    found = manifest.load(write(tmp_path, SOUND))
    assert translate({"breaker_recovery_s": 3, "lease_s": 5}, found) == {"RECOVERY": "3"}


def test_laws_are_judged_by_the_settings_that_the_target_takes_over(tmp_path: Path) -> None:
    found = manifest.load(write(tmp_path, SOUND))
    timing = judged_by(found, {"breaker_recovery_s": 3, "breaker_failure_threshold": 2})
    assert timing.recovery_s == 3
    assert timing.failure_threshold == Timing().failure_threshold


def test_setting_without_a_variable_is_named_and_never_overrides_the_manifests_timing(tmp_path: Path) -> None:
    found = manifest.load(write(tmp_path, SOUND + "\n[timing]\nlease_s = 62\n"))
    asked = {"breaker_recovery_s": 3, "lease_s": 3, "health_grace_s": 1, "attempt_timeout_s": 1, "open_within_s": 2}
    timing = judged_by(found, asked)
    assert timing == Timing(lease_s=62, recovery_s=3)
    assert set(not_taken(asked, found)) == set(asked) - {"breaker_recovery_s"}


def test_setting_with_an_empty_name_holds_and_is_no_variable(tmp_path: Path) -> None:
    found = manifest.load(write(tmp_path, SOUND.replace("[settings]\n", "[settings]\nhealth_grace_s = ''\n")))
    assert translate({"health_grace_s": 1}, found) == {}
    assert judged_by(found, {"health_grace_s": 1}).health_grace_s == 1
    assert not_taken({"health_grace_s": 1}, found) == {}


@pytest.mark.parametrize("name", ["a/b", "..", ".", "", "../x", "a b", "a\nb", "-rf", "x" * 61, "é"])
def test_process_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="name"):
        manifest.load(write(tmp_path, SOUND.replace('"api"', json.dumps(name))))


BREAKER = "[breaker]\nprocess = 'worker'\n"
OWN = SOUND.replace("contract = 1", "contract = 2") + '[event]\nid = "/order/id"\nschema = "order.schema.json"\n'


def test_contract_2_describes_the_targets_own_event_and_intake(tmp_path: Path) -> None:
    asked = 'process = "api"\nmethod = "PUT"\naccepted = [200, 201]\nheaders = {Authorization = "Bearer {env:TOKEN}"}'
    found = manifest.load(write(tmp_path, OWN.replace('process = "api"', asked) + 'id_format = "ORD-{uuid}"\n'))
    assert found.event is not None
    assert (found.event.id, found.event.id_format, found.event.precision) == ("/order/id", "ORD-{uuid}", "us")
    assert (found.ingest.method, found.ingest.accepted) == ("PUT", (200, 201))
    assert found.ingest.headers == {"Authorization": "Bearer {env:TOKEN}"}  # the secret itself is not read here


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("contract = 2", "contract = 1", "contract = 1 has no event: write contract = 2"),
        ("contract = 2", "contract = 3", "contract = 1 or contract = 2, got 3"),
        ('process = "api"', 'process = "api"\nmax_bytes = 65536', "ingest.max_bytes is for audit events"),
        ("[event]", '[capabilities]\nnumbers = "exact"\n[event]', "capabilities.numbers .*: write event.numbers"),
        ("[event]", '[capabilities]\nnumbers = "float"\n[event]', "numbers"),
        ("[event]", '[capabilities]\norder_by = "/a"\n[event]', "capabilities.order_by .*: write event.order_by"),
        (
            'process = "api"',
            'process = "api"\nheaders = {A = "secret {env:MY-KEY}"}',
            "got '{env:MY-KEY}': use letters",
        ),
        ('id = "/order/id"', 'id = {answer = "/id"}', r"\[event.id\] has no key 'answer': it has response"),
        ('schema = "order.schema.json"', "", "a schema or a strategy, got neither"),
        ("[event]", '[event]\nstrategy = "a.py:b"', "a schema or a strategy, got both"),
        ('schema = "order.schema.json"', 'strategy = "events"', "event.strategy as 'file.py:name', got 'events'"),
        ('id = "/order/id"', 'id = "order.id"', "event.id as a JSON Pointer, got 'order.id'"),
        ("[event]", '[event]\nignore = ["/a", "b"]', r"event.ignore\[1\] as a JSON Pointer, got 'b'"),
        ('id = "/order/id"', 'id = {response = "/id"}', "expected event.reference, since the server makes event.id"),
        (
            'id = "/order/id"',
            'id = {response = "id"}\nreference = "/r"',
            "event.id.response as a JSON Pointer, got 'id'",
        ),
        ('id = "/order/id"', 'id = {response = "/id"}\nreference = "r"', "event.reference as a JSON Pointer, got 'r'"),
        ("[event]", '[event]\nreference = "/r"', "event.reference is for an id = {response"),
        ("[event]", '[event]\nid_format = "guid"', "event.id_format .* got 'guid'"),
        ("[event]", '[event]\nid_format = "a b-{uuid}"', "event.id_format .* got 'a b-"),
        ("[event]", '[event]\norder_by = "/order/id"', "order_by and the id are both '/order/id'"),
        ("[event]", '[event]\nnumbers = "float"', "numbers"),
        ('process = "api"', 'process = "api"\naccepted = []', "ingest.accepted .* from 200 to 299, got"),
        ('process = "api"', 'process = "api"\naccepted = [302]', "ingest.accepted .* from 200 to 299, got .302"),
        ('process = "api"', 'process = "api"\naccepted = [200]\ndefinite_refusals = [200]', r"both have \[200\]"),
        ('process = "api"', 'process = "api"\nheaders = {Host = "x"}', "a header of your own, got 'Host'"),
        ('process = "api"', 'process = "api"\nheaders = {A = "x\\r\\nB: y"}', "ingest.headers.A on one line"),
        ('process = "api"', 'process = "api"\nheaders = {A = "é"}', "ingest.headers.A in ASCII, got 'é'"),
        ('process = "api"', 'process = "api"\nbatch = {size = 2, path = "//b"}', "ingest.batch.path .* write '/b'"),
        ('process = "api"', 'process = "api"\nmethod = "GET"', "method"),
        ('process = "api"', 'process = "api"\nbatch = {size = 1}', "ingest.batch.size from 2 to 10,000, got 1"),
        ('process = "api"', 'process = "api"\nbatch = {siez = 2}', "siez"),
        ('process = "api"', 'process = "api"\nbatch = {size = 2, path = "x"}', "ingest.batch.path .* got 'x'"),
        ('process = "api"', 'process = "api"\nbatch = {size = 2, format = "csv"}', "format|csv"),
        ("[event]", '[event]\ninvalid = "bad"', "event.invalid as 'file.py:name', got 'bad'"),
        ("[event]", f"{BREAKER}log = '('\n[event]", "breaker.log to be a regular expression, got '\\('"),
        ("[event]", f"{BREAKER}log = '(?P<to>.)'\n[event]", "the groups `at` and `to`, got .*: add .*at"),
        ("[event]", f"{BREAKER}log = '(?P<at>.)(?P<to>.)(?P<who>.)'\n[event]", "got who: leave them out"),
        ("[event]", "[breaker]\nprocess = 'x'\nlog = '(?P<at>.)(?P<to>.)'\n[event]", "breaker.process .* got 'x'"),
        ("[event]", f"{BREAKER}log = '(?P<at>.)(?P<to>.)'\n[event]", "claims no breaker: write breaker = true"),
        ("[event]", f"{BREAKER}[event]", "log"),
    ],
)
def test_what_contradicts_itself_in_contract_2_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        manifest.load(write(tmp_path, OWN.replace(old, new)))
