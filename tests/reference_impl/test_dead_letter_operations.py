"""Dead letters over HTTP: listed by pages, shown, replayed, dropped; 503 while the breaker is not closed."""

from __future__ import annotations

import asyncio
import socket
import uuid
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from starlette.applications import Starlette

from reference_impl.ingest import app as ingest
from reference_impl.operations import dead_letter_operations
from reference_impl.resilience.circuit_breaker import CLOSED, OPEN
from reference_impl.settings import Settings
from reference_impl.store.connections import ConnectionGate
from tests.reference_impl.conftest import Processes, client, health, row, until, wire
from tests.reference_impl.test_store import REFUSE, isolate, stored


def test_by_http_they_are_listed_shown_replayed_and_dropped(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    admin.execute(REFUSE.format(code="22023"))
    poison = [row(n, action=f"poison {n}") for n in range(3)]
    for one in poison:
        isolate(settings, [one])
    ids = [one.event_id for one in poison]
    state = [CLOSED]

    async def run() -> None:
        routes = dead_letter_operations.routes(ConnectionGate(settings, lambda: state[0]))
        app = ingest.with_error_handling(Starlette(routes=routes), settings)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:

            async def status(method: str, path: str) -> int:
                return (await http.request(method, f"/dead-letters/{path}")).status_code

            first = [msgspec.json.decode(line) for line in (await http.get("/dead-letters?limit=2")).iter_lines()]
            assert [letter["eventId"] for letter in first] == ids[:2]
            rest = (await http.get(f"/dead-letters?after={first[-1]['id']}")).text.splitlines()
            assert [msgspec.json.decode(line)["eventId"] for line in rest] == ids[2:]
            assert "poison 0" in (await http.get(f"/dead-letters/{ids[0]}")).json()["event"]
            assert await status("POST", f"{ids[0]}/replay") == 409
            assert await status("DELETE", ids[0]) == 200
            assert await status("DELETE", ids[0]) == 404
            assert await status("GET", ids[0]) == 404
            admin.execute("drop trigger refuse on audit_log")
            assert await asyncio.gather(*(status("POST", f"{ids[1]}/replay") for _ in range(3))) == [200, 200, 200]
            assert await status("POST", f"{uuid.uuid4()}/replay") == 404
            assert await status("GET", "nonsense") == 422
            assert (await http.get("/dead-letters?after=x")).status_code == 422
            led_here = await http.get("/dead-letters", headers={"host": "rebound.example"})
            assert (led_here.status_code, "poison" in led_here.text) == (403, False)
            for headers in ({"origin": "http://127.0.0.1"}, {"origin": "null"}, {"content-type": "text/plain"}):
                sent_here = await http.post(f"/dead-letters/{ids[2]}/replay", headers=headers)
                assert sent_here.status_code in (403, 415), headers
            state[0] = OPEN
            assert await status("POST", f"{ids[2]}/replay") == 503

    asyncio.run(run())
    assert [event_id for event_id, _ in stored(admin)] == [ids[1]]


@pytest.mark.slow
def test_a_worker_serves_them_to_whoever_brings_the_token_and_stops_in_time_though_its_webhook_is_silent(
    processes: Processes, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    admin.execute(REFUSE.format(code="22023"))
    token = {"authorization": "Bearer secret-17"}

    async def run(webhook: str) -> None:
        _, intake = processes.start("ingest", "ingest")
        given = {"BEARER_TOKEN": "secret-17", "ALERT_WEBHOOK_URL": webhook}
        child, worker = processes.start("work", "worker-1", **given)
        async with client() as http:
            await until(lambda: health(http, intake, 100, lanes=5))
            answer = await http.post(f"{intake}/events", content=wire(action="poison secret-18"))
            letter = f"{worker}/dead-letters/{answer.json()['eventId']}"

            async def dead() -> bool:
                return (await http.get(letter, headers=token)).status_code == 200

            await until(dead)
            for method, path in (("GET", ""), ("POST", "/replay"), ("DELETE", "")):
                assert (await http.request(method, f"{letter}{path}")).status_code == 401
            assert (await http.post(f"{letter}/replay", headers=token)).status_code == 409
            admin.execute("drop trigger refuse on audit_log")
            assert (await http.post(f"{letter}/replay", headers=token)).json()["outcome"] == "stored"
            assert (await http.get(letter, headers=token)).status_code == 404
        child.terminate()
        assert await asyncio.to_thread(child.wait, 10) == 0

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(run(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert len(stored(admin)) == 1
    told = b"".join(log.read_bytes() for log in tmp_path.glob("*.log"))
    assert b'"kind":"dead_letter"' in told
    assert b"secret" not in told
