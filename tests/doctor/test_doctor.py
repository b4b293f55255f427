"""Each way to miss the contract gets its sentence: the starter of `shaketable init`, with a thing or two made wrong."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shaketable import doctor
from shaketable.cli.init import init
from shaketable.doctor import persistence
from shaketable.doctor import session as visits
from shaketable.doctor.result import DoctorResult
from shaketable.doctor.session import DoctorSession
from shaketable.stack import urls
from shaketable.stack.stack import Link, Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.target import manifest
from shaketable.target.manifest import Capabilities
from tests.cli.test_cli import REFERENCE, sentence, shaketable
from tests.conftest import Servers, Typed

Edits = dict[str, str]


def slow(*case: object) -> object:
    """A case that waits for what does not come."""
    return pytest.param(*case, marks=pytest.mark.slow)


def every_night(*case: object) -> object:
    """A slow case beside others that are tested for each change."""
    return pytest.param(*case, marks=[pytest.mark.slow, pytest.mark.nightly])


class Fresh:
    """The tests' stack with a database of this test's own, and links that end with it."""

    def __init__(self, servers: Servers) -> None:
        self._servers, self._stack = servers, servers.stack
        self._links, self._taken = list[Link](), list[int]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stack, name)

    def owner_url(self) -> str:
        return self._servers.postgres_url

    def admin_url(self) -> str:
        return self._servers.superuser_url

    def database_url(self, link: Link, application_name: str) -> str:
        return urls.through(self.owner_url(), link.listen, sslmode="disable", application_name=application_name)

    def add_link(self, *arguments: Any) -> Link:
        self._links.append(self._stack.add_link(*arguments))
        return self._links[-1]

    def take_port(self) -> int:
        self._taken.append(self._stack.take_port())
        return self._taken[-1]

    def close(self) -> None:
        for link in self._links:
            self._stack.remove_link(link)
        for port in self._taken:
            self._stack._ports.give_back(port)


@pytest.fixture
def examined(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], list[DoctorResult]]]:
    monkeypatch.setattr(visits, "SEEN_S", 5.0)
    supervisor, fresh = Supervisor(f"test-{secrets.token_hex(4)}"), Fresh(servers)

    def examine(path: Path) -> list[DoctorResult]:
        found = manifest.load(path)
        with DoctorSession(found, path.parent, cast(Stack, fresh), supervisor, run_id="test", home=tmp_path) as session:
            return list(doctor.examine(session))

    yield examine
    supervisor.close()
    fresh.close()


def made(folder: Path, **edits: Edits) -> Path:
    """The starter, with text of its target.toml or processor.py replaced."""
    init(folder / "my")
    for name, changes in edits.items():
        path = next((folder / "my").glob(f"{name}.*"))
        text = path.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
    return folder / "my" / "target.toml"


def wrongs(lines: list[DoctorResult]) -> str:
    return "\n".join(str(line) for line in lines if line.state == "wrong")


@pytest.mark.slow
def test_the_reference_is_as_the_contract_has_it(examined: Callable[[Path], list[DoctorResult]]) -> None:
    lines = examined(REFERENCE)
    assert {line.state for line in lines} == {"ok"}, "\n".join(map(str, lines))
    assert {"health while its services are unavailable", "worker-2's transitions.jsonl"} <= {
        line.what for line in lines
    }


@pytest.mark.slow
def test_each_slip_of_a_manifest_gets_its_sentence(
    examined: Callable[[Path], list[DoctorResult]], tmp_path: Path
) -> None:
    letters = '[dead_letters]\nsql = "select event_id, event from events where false"\n[capabilities]\nbreaker = true\n'
    told = wrongs(
        examined(
            made(
                tmp_path,
                target={
                    'relation = "events"': 'relation = "event"',
                    'type = "stream"': 'type = "list"',
                    "[capabilities]": letters,
                    'order_by = "organizationId"': "health = true",
                    "count = 2 ": "stop_s = 0.3 ",
                    ", xmin from": " from",
                },
                processor={
                    'status: Literal["attempt", "success", "failure"]': "status: str",
                    "return JSONResponse({})": "from starlette.responses import Response; return Response('fine')",
                    "def work() -> None:": "def work() -> None:\n    time.sleep(3 * (os.environ['INCARNATION'] == '2'))"
                    "  # as on a busy machine\n    __import__('signal').signal(15, 1)",
                },
            )
        )
    )
    for expected in (
        "stored.relation: there is no 'event'",
        "dead_letters.sql: gives no column attempts, no cause, no first_failed_at, no history, no last_failed_at",
        "malformed events: 4 of 86 ",
        "queue key events: is of type stream, and the manifest says list",
        "the backlog is seen: 12 events wait, and the length is unknown",
        'health: the answer is no JSON: answer {"healthScore"',
        "breaker: claimed, but no process wrote transitions.jsonl in its STATE_DIR",
        "worker ends at SIGTERM: not within stop_s = 0.3 s, so it was killed",
    ):
        assert expected in told, told


@pytest.mark.nightly
def test_what_is_stored_wrongly_gets_its_sentence(
    examined: Callable[[Path], list[DoctorResult]], tmp_path: Path
) -> None:
    told = wrongs(
        examined(
            made(
                tmp_path,
                target={
                    'by = "organizationId"': 'by = "organizationId"\nhealth = true',
                    'key = "events"': 'key = "evnts"',
                    "position, xmin": "position",
                },
                processor={
                    " primary key": "",
                    " on conflict do nothing": "",
                    ".decode()) for": ".decode().replace('3600', '1')) for",
                },
            )
        )
    )
    for expected in (
        "stored.sql: gives neither xmin nor committed_at, although order_by is claimed",
        "stored once: 2 events have several rows, up to ",  # how many is a matter of time: two workers read one batch
        "stored as it was sent: differs in ttl",
        "the backlog is seen: 12 events wait, and the length is 0",
        "health: healthScore is None",
    ):
        assert expected in told, told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ({"processor": {"create table events": "create tabel events"}}, "setup ended with exit code 1"),
        (
            {"processor": {'JSONResponse({"eventId": event.event_id.lower()}, 202)': "JSONResponse({}, 200)"}},
            "POST /events, a valid event: expected 202, got 200 ({}): answer 202 once the event is durable",
        ),
        slow(
            {"processor": {'Route("/events"': 'Route("/event"'}},
            "expected 202, got 404 (Not Found): `ingest.path`",
        ),
        slow(
            {"processor": {"def intake() -> None:": "def intake() -> None:\n    raise SystemExit(7)"}},
            "intake becomes ready: intake died at start with exit code 7",
        ),
        every_night(
            {"target": {"[capabilities]": '[dead_letters]\nurl = "/health"\n[capabilities]'}},
            "answer 200 with a header Total-Count",
        ),
        slow({"target": {"select event_id, event,": "select event,"}}, "stored.sql: gives no column event_id"),
        every_night({"processor": {'xadd("events"': 'xadd("evnts"'}}, "2 of 2 are not in stored.sql"),
        slow(
            {"processor": {"def work() -> None:": "def work() -> None:\n    raise SystemExit(7)"}},
            "worker-1 ends at SIGTERM: it had exited with code 7",
        ),
    ],
)
def test_each_defect_gets_its_sentence(
    examined: Callable[[Path], list[DoctorResult]], tmp_path: Path, edits: dict[str, Edits], expected: str
) -> None:
    path = made(tmp_path, **edits)
    path.write_text(f"{path.read_text()}\n[timing]\nattempt_timeout_s = 0\n")
    assert expected in wrongs(examined(path))


@pytest.mark.nightly
def test_process_that_ends_when_asked_afresh_is_not_blamed(
    examined: Callable[[Path], list[DoctorResult]], tmp_path: Path
) -> None:
    deaf = "def work() -> None:\n    if os.environ['INCARNATION'] == '1': __import__('signal').signal(15, 1)"
    lines = examined(made(tmp_path, target={"count = 2 ": "stop_s = 3 "}, processor={"def work() -> None:": deaf}))
    (line,) = [line for line in lines if line.what == "worker ends at SIGTERM"]
    assert (line.state, "not within stop_s the first time" in line.found) == ("ok", True), str(line)


@pytest.mark.nightly
def test_rows_in_which_no_fault_finds_an_event_are_named(
    examined: Callable[[Path], list[DoctorResult]], tmp_path: Path
) -> None:
    aside = "create table aside as select '\\\\x00'::bytea as body; create table events"
    path = made(
        tmp_path, target={'relation = "events"': 'relation = "aside"'}, processor={"create table events": aside}
    )
    told = wrongs(examined(path))
    assert "RejectRows finds an event's row: no row inserted into aside held such an event's id as text" in told


@pytest.mark.nightly
def test_port_of_its_own_choice_is_named(
    examined: Callable[[Path], list[DoctorResult]], tmp_path: Path, servers: Servers
) -> None:
    port = servers.stack.take_port()
    path = made(
        tmp_path,
        processor={'int(os.environ["HTTP_PORT"])': f"{port}"},
        target={'health = "/health" ': 'health = "/health"\nready_s = 8 '},
    )
    told = wrongs(examined(path))
    servers.stack._ports.give_back(port)
    assert "not ready within 8 s" in told
    assert f"it listens on {port} instead of HTTP_PORT, which is" in told


def test_manifest_that_is_none_is_bad_input(tmp_path: Path, typed: Typed) -> None:
    done = typed("doctor", "--target", tmp_path / "target.toml")
    assert "No such file" in sentence(done)
    assert done.returncode == 254


@pytest.mark.slow
def test_the_exit_code_says_that_something_is_wrong(tmp_path: Path) -> None:
    path = made(tmp_path, target={'relation = "events"': 'relation = "event"'})
    done = shaketable("doctor", "--target", path)
    assert done.returncode == 1, done.stderr
    assert "wrong        stored.relation: there is no 'event'" in done.stdout
    assert "mine: 18 ok, 1 wrong, 5 not claimed" in done.stdout


@pytest.mark.parametrize(("deduplicates", "state"), [(True, "wrong"), (False, "not claimed")])
def test_target_that_claims_no_deduplication_may_store_twice_what_was_sent_twice(
    deduplicates: bool, state: str
) -> None:
    told = SimpleNamespace(capabilities=Capabilities(deduplicates=deduplicates))
    session: Any = SimpleNamespace(manifest=told, taken={"a": b""})
    assert persistence._once(session, Counter({"a": 2})).state == state


@pytest.mark.slow
def test_starter_that_overwrites_a_row_is_told_so(
    examined: Callable[[Path], list[DoctorResult]], tmp_path: Path
) -> None:
    anew = {"on conflict do nothing": "on conflict (event_id) do update set event = excluded.event"}
    told = wrongs(examined(made(tmp_path, processor=anew)))
    assert "a row stays as it was first stored" in told
    assert "stored.updates = true" in told
