"""What a page in a browser could send unasked is refused; what clients and proxies send is not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import Servers
from tests.reference_impl.conftest import wire
from tests.reference_impl.test_intake import queued, run, settings_of

PAGE = "https://console.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1"}, 403),
        ({"origin": PAGE}, 202),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "localhost.evil.example:80"}, 403),
        ({"host": "[::1"}, 403),
        ({"host": "intake:8080"}, 202),
        ({"host": "INTAKE"}, 202),
        ({"host": "localhost:8080"}, 202),
        ({"host": "127.0.0.1"}, 202),
        ({"host": "[::1]:8080"}, 202),
        ({"host": "10.1.2.3:80"}, 202),
        ({"host": ""}, 202),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "text/plain;charset=UTF-8"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": "text/plain; application/json"}, 415),
        ({"content-type": "application/jsonp"}, 415),
        ({"content-type": "Application/JSON ; charset=utf-8"}, 202),
        ({"content-type": "application/x-ndjson"}, 202),
        ({"content-encoding": "gzip"}, 415),
        ({"content-encoding": "identity"}, 202),
        ({}, 202),
    ],
)
def test_only_what_a_page_could_not_send_is_taken(servers: Servers, headers: dict[str, str], status: int) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        for path, taken in (("/events", 202), ("/events/batch", 207)):
            answer = await client.post(path, content=wire(), headers=headers)
            assert answer.status_code == (taken if status == 202 else status), answer.text
        assert len(await queued(servers)) == (2 if status == 202 else 0)
        assert (await client.get("/health", headers=headers)).status_code == 200

    run(settings_of(servers, http_allowed_origins=(PAGE,), http_allowed_hosts=("intake",)), do)


@pytest.mark.parametrize(("changes", "status"), [({}, 403), ({"bearer_token": "secret"}, 202)])
def test_with_a_token_any_name_may_be_called(servers: Servers, changes: dict[str, Any], status: int) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        headers = {"host": "events.example", "authorization": "Bearer secret"}
        assert (await client.post("/events", content=wire(), headers=headers)).status_code == status

    run(settings_of(servers, **changes), do)


def test_a_client_that_waits_for_leave_to_send_is_refused_and_closed(servers: Servers) -> None:
    async def do(client: httpx.AsyncClient) -> None:
        headers = {"expect": "100-continue", "content-type": "text/plain"}
        answer = await client.post("/events", content=wire(), headers=headers)
        assert (answer.status_code, answer.headers["connection"]) == (415, "close")

    run(settings_of(servers), do)
