"""A load outside a run takes over what a manifest describes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shaketable import resources
from shaketable.errors import InputError
from shaketable.load.batch import Batch
from shaketable.load.mix.sized import UUID_BYTES
from shaketable.load.options import LoadOptions, add_options
from shaketable.target.plain_load import of_target

ALTERNATIVES = Path(__file__).parents[2] / "alternatives"


def options(*arguments: str) -> LoadOptions:
    parser = argparse.ArgumentParser()
    add = parser.add_argument
    parser.add_argument = lambda *names, include_in_web_ui=True, **how: add(*names, **how)  # type: ignore[method-assign]
    add_options(parser)
    return LoadOptions.of(parser.parse_args(arguments))


def test_manifest_gives_event_intake_and_mix() -> None:
    found = of_target(options(), ALTERNATIVES / "order-service.toml", {})
    assert (found.path, found.accepted, found.sender) == ("/orders", frozenset({201}), "")
    assert found.own is not None
    planned = next(found.plan(found.own.corpus(found.mix, 1)))
    assert planned.event_id.startswith("ORD-")


def test_sender_is_that_of_the_manifest_and_its_mix_is_narrowed() -> None:
    found = of_target(options(), ALTERNATIVES / "order-stream.toml", {})
    assert found.sender == f"{ALTERNATIVES}/order_service/xadd.py:Xadd"
    assert (found.mix.malformed, found.mix.resent) == (0, 0.02)


def test_limit_of_the_manifest_is_that_of_the_events() -> None:
    found = of_target(options(), resources.target(Path("reference")), {})
    shapes = found.corpus()
    sizes = {len(shape.wire("0" * UUID_BYTES)) for shape in shapes if shape.sized}
    assert max(sizes) == found.max_bytes == 262_144
    assert any(shape.numeric for shape in shapes)


def test_option_that_you_give_takes_precedence() -> None:
    found = of_target(options("--path", "/other", "--accepted", "200"), ALTERNATIVES / "order-service.toml", {})
    assert (found.path, found.accepted) == ("/other", frozenset({200}))


def test_variables_of_a_sender_come_from_the_environment(tmp_path: Path) -> None:
    text = (ALTERNATIVES / "order-stream.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace('service = "redis"', 'env = {A = "{env:TOKEN}"}'))
    assert of_target(options(), tmp_path / "mine.toml", {"TOKEN": "s3cret"}).variables == {"A": "s3cret"}
    with pytest.raises(InputError, match=r"variable TOKEN for env\.A of the sender, got none"):
        of_target(options(), tmp_path / "mine.toml", {})


def test_headers_come_from_the_environment(tmp_path: Path) -> None:
    text = (ALTERNATIVES / "webhook.toml").read_text()
    told = text.replace('process = "ingest"', 'process = "ingest"\nheaders = {A = "{env:TOKEN}"}')
    (tmp_path / "mine.toml").write_text(told)
    assert of_target(options(), tmp_path / "mine.toml", {"TOKEN": "x"}).headers == {"A": "x"}
    with pytest.raises(InputError, match="TOKEN"):
        of_target(options(), tmp_path / "mine.toml", {})


@pytest.mark.parametrize(
    ("written", "told"),
    [("{", "--batch"), ('{"size": 1}', "from 2 to"), ('{"siez": 2}', "siez"), ("[]", "--batch")],
)
def test_bad_batch_is_refused_in_a_sentence(written: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        options("--batch", written)
    good: Any = msgspec.json.encode(Batch(2)).decode()
    assert options("--batch", good).batch == Batch(2)


@pytest.mark.parametrize("path", ["events", "/ev ents", "//events", "/év"])
def test_path_that_the_client_cannot_send_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="expected a path"):
        options("--path", path)
    with pytest.raises(InputError, match="expected a path"):
        options("--batch", json.dumps({"size": 2, "path": path}))
