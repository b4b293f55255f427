"""Validation of the BullMQ alternative: the mix's own shapes are the measure."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime
from typing import Any

from shaketable import event
from shaketable.load.mix import Mix, malformed
from shaketable.load.mix.corpus import corpus
from shaketable.load.mix.shape import Expect, Shape
from tests.cli.test_cli import ROOT
from tests.target.environments.test_node import needs_node

pytestmark = needs_node
BULLMQ = ROOT / "alternatives" / "bullmq"
TODAY = datetime.now(UTC).date()
ID = "0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"
#: Answers a line for each line: what is kept of it, or the member at fault.
TRY = """
import { createInterface } from 'node:readline';
const { accept } = await import(process.argv[1]);
for await (const line of createInterface({ input: process.stdin })) {
  try {
    console.log(JSON.stringify({ text: accept(Buffer.from(line, 'base64')).text }));
  } catch (error) {
    console.log(JSON.stringify({ field: error.field, status: error.status }));
  }
}
"""


def tried(*bodies: bytes) -> list[dict[str, Any]]:
    """What each body comes to in event.js."""
    done = subprocess.run(
        ["node", "--input-type=module", "-e", TRY, BULLMQ / "event.js"],
        check=True,
        capture_output=True,
        text=True,
        input="".join(f"{base64.b64encode(body).decode()}\n" for body in bodies),
    )
    return [json.loads(line) for line in done.stdout.strip("\n").split("\n")]  # not splitlines: U+0085 is text


def outcomes(shapes: list[Shape]) -> list[tuple[Shape, dict[str, Any]]]:
    return list(zip(shapes, tried(*(shape.wire(ID) for shape in shapes)), strict=True))


def test_every_well_formed_shape_is_taken_as_it_is() -> None:
    shapes = [shape for shape in corpus(Mix(shapes=120), 3, TODAY) if shape.expect is Expect.ACCEPT]
    assert {shape.why: kept for shape, kept in outcomes(shapes) if kept.get("text") != shape.wire(ID).decode()} == {}


def test_every_malformed_shape_is_refused_and_what_is_doubtful_is_refused_or_kept() -> None:
    for shape, kept in outcomes([shape for shape in malformed.shapes(TODAY) if not shape.pad]):
        assert "field" in kept or shape.expect is Expect.EITHER, shape.why
        if "text" in kept:
            assert event.same(event.parse(shape.wire(ID)), event.parse(kept["text"])) == [], shape.why


def test_a_refusal_names_the_member_and_what_is_no_object_is_a_bad_request() -> None:
    good = {"eventId": ID, "timestamp": "2026-01-01T00:00:00Z", "action": "x", "status": "success"}
    wrong: list[dict[str, Any]] = [
        {"status": "done"},
        {"action": ""},
        {"ttl": 1.5},
        {"timestamp": "2026-02-30T00:00:00Z"},
        {"eventId": 7},
    ]
    told = tried(*(json.dumps(good | members).encode() for members in wrong), b"[]")
    assert [answer["field"] for answer in told] == [*(name for members in wrong for name in members), "event"]
    assert told[-1]["status"] == 400


def test_an_event_without_id_gets_one() -> None:
    (kept,) = tried(b'{"timestamp":"2026-01-01T00:00:00Z","action":"x","status":"success"}')
    assert len(json.loads(kept["text"])["eventId"]) == 36


def test_a_dead_letter_tells_the_kind_of_error_and_never_its_message() -> None:
    traces = [
        "Error: Query read timeout\n    at x",
        "AggregateError [ECONNREFUSED]: \n    at x",
        'error: Token "secret"',
        "secret: no kind",
        "secret",
        "UnrecoverableError: 22P02\n    at x",
    ]
    job = {"data": {"eventId": ID, "text": "{}"}, "finishedOn": 0, "attemptsMade": 5, "failedReason": "secret"}
    program = "const { letter } = await import(process.argv[1]); console.log(letter(JSON.parse(process.argv[2])));"
    told = [
        subprocess.run(
            ["node", "--input-type=module", "-e", program, BULLMQ / "intake.js", json.dumps(job | members)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for members in ({"stacktrace": traces}, {"failedReason": "job stalled more than allowable limit"})
    ]
    assert "secret" not in "".join(told)
    broken, stalled = map(json.loads, told)
    kinds = ["Error", "AggregateError", "error", "Error", "Error", "UnrecoverableError 22P02"]
    assert ([tried["error"] for tried in broken["history"]], broken["cause"]) == (kinds, kinds[-1])
    assert stalled["cause"] == "job stalled more than allowable limit"
