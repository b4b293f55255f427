"""A handler of the user's own in place of the store: each event once, in order; what it raises decides."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psycopg
import pytest

from reference_impl.errors import RefusedError, SettingsError
from reference_impl.operations.integrity import Verified
from reference_impl.processor import ReliableEventProcessor
from reference_impl.resilience.circuit_breaker import CLOSED, OPEN
from reference_impl.settings import Settings
from tests.reference_impl.conftest import until
from tests.reference_impl.test_processor import one, run
from tests.reference_impl.test_processor import settings as settings  # the fixture
from tests.reference_impl.test_verifier import verified


class Handled:
    """A handler that keeps what it got, and fails as it is told."""

    def __init__(self, fail: Callable[[dict[str, Any]], Exception | None] = lambda _: None) -> None:
        self.fail, self.got, self.calls = fail, list[str](), 0

    async def __call__(self, events: Sequence[dict[str, Any]]) -> None:
        self.calls += 1
        for event in events:
            if error := self.fail(event):
                raise error
        self.got += [event["action"] for event in events]


async def add_numbers(processor: ReliableEventProcessor, count: int) -> None:
    for n in range(count):
        await processor.add_event(one(action=f"{n}", organizationId="acme"))


def test_a_handler_gets_each_event_once_in_order_and_whole(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    handler, whole = Handled(), list[dict[str, Any]]()

    async def handle(events: Sequence[dict[str, Any]]) -> None:
        whole.extend(events)
        await handler(events)

    async def do(processor: ReliableEventProcessor) -> None:
        name = str(uuid.uuid4())
        for _ in range(2):
            await processor.add_event(one(eventId=name, action="first", organizationId="acme", more={"a": [1]}))
        await add_numbers(processor, 50)
        await until(lambda: _got(handler, 51))

    run(settings, do, handle)
    assert handler.got == ["first", *map(str, range(50))]
    assert whole[0]["more"] == {"a": [1]}
    assert "details" not in whole[0]
    assert admin.execute("select count(*) from audit_log").fetchone() == (0,)
    assert verified(settings) == Verified()  # its events are not the store's to lose


async def _got(handler: Handled, count: int) -> bool:
    return len(set(handler.got)) >= count


def test_what_a_handler_refuses_is_buried_and_its_neighbours_are_handled(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    handler = Handled(lambda event: RefusedError("action", "seven") if event["action"] == "7" else None)

    async def do(processor: ReliableEventProcessor) -> None:
        await add_numbers(processor, 20)
        await until(lambda: _got(handler, 19))
        assert processor.health_status().circuit_breaker_state == CLOSED

    run(settings, do, handler)
    assert list(dict.fromkeys(handler.got)) == [f"{n}" for n in range(20) if n != 7]
    ((cause,),) = admin.execute("select cause from audit_dead_letter").fetchall()
    assert "RefusedError" in cause


def test_a_handler_whose_service_is_away_opens_the_breaker_and_loses_nothing(settings: Settings) -> None:
    away, seen = [True], list[str]()
    handler = Handled(lambda _: ConnectionRefusedError() if away[0] else None)

    async def whole() -> None:
        async with ReliableEventProcessor(settings, handler, lambda _, to, __: seen.append(to)) as processor:
            await add_numbers(processor, 10)

            async def opened() -> bool:
                return OPEN in seen

            await until(opened)
            away[0] = False
            await until(lambda: _got(handler, 10))

    asyncio.run(whole())
    assert handler.got == [f"{n}" for n in range(10)]


@pytest.mark.slow
@pytest.mark.parametrize("named", [{"retryable_errors": ("BusyError",)}, {"retryable_messages": ("come back",)}])
def test_a_handlers_own_errors_may_be_called_retryable_by_type_or_message(
    settings: Settings, admin: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture, named: dict[str, Any]
) -> None:
    class BusyError(Exception):
        pass

    left = [3]

    def busy(_: dict[str, Any]) -> Exception | None:
        left[0] -= 1
        return BusyError("come back, secret-17") if left[0] >= 0 else None

    handler = Handled(busy)

    async def do(processor: ReliableEventProcessor) -> None:
        await processor.add_event(one())
        await until(lambda: _got(handler, 1))

    run(msgspec.structs.replace(settings, **named), do, handler)
    assert handler.calls == 4
    assert admin.execute("select count(*) from audit_dead_letter").fetchone() == (0,)
    failed = [record.__dict__ for record in caplog.records if record.getMessage() == "attempt failed"]
    assert [record["fields"]["failure"] for record in failed] == ["retry"] * 3
    assert "secret" not in f"{[record.__dict__ for record in caplog.records]}"


def test_a_lease_that_ends_before_a_slow_handler_is_refused(settings: Settings) -> None:
    short = msgspec.structs.replace(settings, attempt_timeout_s=5.0, lease_s=6.0)
    with pytest.raises(SettingsError, match="LEASE_S: expected more than 6, got 6: a handler"):
        ReliableEventProcessor(short, Handled())
    ReliableEventProcessor(short)
    ReliableEventProcessor(msgspec.structs.replace(short, lease_s=6.1), Handled())
