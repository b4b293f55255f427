"""The doctor tries the limit that a target announces."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from shaketable.doctor import intake
from shaketable.doctor.session import DoctorSession
from shaketable.load.mix.shape import Expect
from shaketable.target.bounded_http import BoundedResponse, NoResponse
from shaketable.target.ingest_table import Ingest

LIMIT = 1 << 16


def session(*, takes: int, refusal: int = 413) -> DoctorSession:
    """A session at an intake that takes bodies up to a size."""

    def post(body: bytes, _: str) -> BoundedResponse | NoResponse:
        return BoundedResponse(202 if len(body) <= takes else refusal, {}, b"")

    found = SimpleNamespace(
        manifest=SimpleNamespace(ingest=Ingest("api", max_bytes=LIMIT)),
        post=post,
        taken={},
        refused=set(),
        accepted="202",
        said=lambda answer: str(answer.status),
    )
    return cast(DoctorSession, found)


@pytest.mark.parametrize(
    ("takes", "refusal", "states"),
    [
        (LIMIT, 413, ["ok", "ok"]),
        (LIMIT - 1, 413, ["wrong", "ok"]),
        (LIMIT + 1, 413, ["ok", "wrong"]),
        (LIMIT, 503, ["ok", "wrong"]),
    ],
)
def test_announced_limit_is_that_of_the_intake(takes: int, refusal: int, states: list[str]) -> None:
    at = session(takes=takes, refusal=refusal)
    found = [intake._sized(at, LIMIT, Expect.ACCEPT), intake._sized(at, LIMIT + 1, Expect.REFUSE)]
    assert [line.state for line in found] == states
    assert len(at.taken) + len(at.refused) == (1 if refusal == 503 else 2)
