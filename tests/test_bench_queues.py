"""The bench of other queues: rates and ratios of the same events through any target."""

from __future__ import annotations

import socket

import pytest

from bench import load, queues
from bench.queues import Part, Queues, Round, in_the_middle, measure, ratio, seen
from tests.target.environments.test_node import needs_node


def played(target: str, per_second: float) -> Round:
    part = Part(per_second, 1000 / per_second)
    return Round(target, part, part, part)


def test_a_drain_is_timed_from_the_commit_of_its_first_tenth_to_that_of_its_ninth() -> None:
    commits = [10.0] * 15 + [11.0] * 40 + [12.0] * 40 + [20.0] * 5  # the first ten and the last ten do not count
    assert in_the_middle(commits) == 80 / 2
    with pytest.raises(SystemExit):
        in_the_middle([10.0] * 100)


def test_a_cost_needs_two_looks_at_the_rows_while_they_are_stored() -> None:
    assert seen(1100, 1900, 1000) == 800
    with pytest.raises(SystemExit):
        seen(1950, 1950, 1000)


def test_a_ratio_is_the_median_over_pairs_of_the_same_round() -> None:
    rounds = [played("reference", 1000), played("rq", 100), played("rq", 30), played("reference", 100)]
    rounds += [played("reference", 500), played("rq", 100)]
    assert ratio(rounds, "rq", lambda one: one.drain.per_second) == 0.2  # of 0.1, 0.3 and 0.2
    assert ratio(rounds, "reference", lambda one: one.drain.per_second) == 1
    assert ratio([played("rq", 100)], "rq", lambda one: one.drain.per_second) is None


def test_each_part_has_a_row_for_each_target() -> None:
    told = Queues("", 10, {}, {"reference": "", "rq": ""}, [played("reference", 1000), played("rq", 250)])
    found = {(part, target): cells for part, target, *cells in queues.rows(told)}
    assert len(found) == 6
    assert found["drain", "rq"] == ["250", "0.25", "4.00", "4.00"]


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{", b"}"],
        [b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n", b"{}"],
        [b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", b"0\r\n\r\n"],
    ],
)
def test_an_answer_is_whole_with_its_last_byte_or_chunk(parts: list[bytes]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = load.Client(server.getsockname()[1], iter([b"request"]))
        with server.accept()[0] as other, client.socket:
            found = []
            for part in parts:
                other.sendall(part)
                found.append(client.receive())
    assert found == [False, True]
    assert client.accepted == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["reference", pytest.param("bullmq-hardened", marks=[needs_node, pytest.mark.nightly])]
)
def test_a_target_is_measured_in_all_three_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "BACKLOG_S", 10)  # shorter, and it may be gone before a busy machine looks twice
    *_, told = measure([name], 2000, 1)
    (found,) = told.rounds
    for part in (found.end_to_end, found.intake, found.drain):
        assert part.per_second > 0
        assert part.cpu_ms > 0
    assert told.servers["redis"]["appendfsync"] == "always"
    assert told.processes == {name: "1 ingest, 2 worker"}
