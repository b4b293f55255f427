"""The document for machines: the worst of its runs, as its schema says, the same for one run and for several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastjsonschema
import msgspec
import pytest

from shaketable.checks import NoLoss
from shaketable.checks.verdict import judge_history
from shaketable.results import result
from shaketable.results.result import Result, collect
from tests.support.histories import asks, fault, history, sent, stored
from tests.support.results import judged, played

SCHEMA = Path(__file__).parents[2] / "docs" / "results.schema.json"


def valid(document: bytes) -> Any:
    """The document as data. Raises JsonSchemaException where the schema says otherwise."""
    schema = msgspec.json.decode(SCHEMA.read_bytes())
    # fastjsonschema knows drafts up to 7, of which nothing that is used here differs
    return fastjsonschema.compile({**schema, "$schema": "http://json-schema.org/draft-07/schema#"})(
        msgspec.json.decode(document)
    )


@pytest.mark.parametrize(
    ("runs", "verdict", "code"),
    [
        ([played()], "passed", 0),
        ([played(), played("unknown")], "unknown", 2),
        ([played("unknown"), played("failed"), played()], "failed", 1),
        ([played("failed"), played("error", why="no disk")], "error", 255),
        ([], "unknown", 2),
    ],
)
def test_all_are_as_bad_as_the_worst(runs: list[Result], verdict: str, code: int) -> None:
    results = collect(runs)
    assert (results.verdict, results.exit_code) == (verdict, code)
    assert valid(msgspec.json.encode(results))["exit_code"] == code


def test_result_of_a_run_tells_its_checks_faults_and_figures() -> None:
    doc = judge_history(history(sent("a").acknowledged(1), stored("a"), fault(10, 20), asks(NoLoss())))
    told = valid(msgspec.json.encode(collect([result.of(doc, 0, run="runs/x", seconds=1.23)])))
    (run,) = told["runs"]
    assert run["checks"]["no_loss"]["required"]
    assert run["faults"][0]["landed"]
    assert run["figures"]["acknowledged"] == 1
    assert run["seconds"] == 1.2


def test_schema_refuses_what_is_no_result() -> None:
    broken = msgspec.to_builtins(collect([played()]))
    broken["runs"][0]["verdict"] = "fine"
    with pytest.raises(fastjsonschema.JsonSchemaException, match="verdict"):
        valid(msgspec.json.encode(broken))


def test_run_is_no_pass_by_its_checks_alone() -> None:
    nothing = {"isolated": judged("not applicable"), "no_loss": judged("passed", required=False)}
    assert played("unknown", checks=nothing).caveats == ["nothing that counts could be judged"]
    assert played("unknown").caveats == []  # its check says so
    assert played().caveats == []
