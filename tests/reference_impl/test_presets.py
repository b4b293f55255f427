"""Presets: applied at intake before the hash, changed while it runs, cached for an outage of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from reference_impl.queue import streams
from reference_impl.settings import Settings
from tests.conftest import Servers
from tests.reference_impl.conftest import Link, until, wire
from tests.reference_impl.test_intake import intake


def add(admin: psycopg.Connection[Any], name: str, organization: str | None, action: str | None, **values: Any) -> None:
    admin.execute(
        "insert into audit_preset (name, organization_id, action, data_classification, required_fields, default_values,"
        " validation) values (%s, %s, %s, %s, %s, %s, %s)",
        [
            name,
            organization,
            action,
            values.get("classification"),
            values.get("required", []),
            Jsonb(values.get("defaults", {})),
            Jsonb(values.get("validation", {})),
        ],
    )


def with_intake(settings: Settings, do: Callable[[httpx.AsyncClient], Awaitable[Any]], connected: bool = True) -> Any:
    async def run() -> Any:
        async with intake(settings, connected) as http:
            return await do(http)

    return asyncio.run(run())


async def status(http: httpx.AsyncClient, **members: Any) -> int:
    return (await http.post("/events", content=wire(**members))).status_code


async def queued(settings: Settings) -> list[dict[str, Any]]:
    redis = Redis.from_url(settings.redis_url)
    entries: list[Any] = [e for lane in range(5) for e in await redis.xrange(streams.key(lane))]  # type: ignore[union-attr]
    await redis.aclose()
    return [msgspec.json.decode(fields[b"event"]) for _, fields in entries]


def test_the_preset_that_says_most_of_an_event_is_its_preset_and_a_change_is_seen(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    add(admin, "all", None, None, defaults={"by": "all"})
    add(admin, "any's logins", None, "login", defaults={"by": "action"})
    add(admin, "o's", "o", None, defaults={"by": "organization"}, classification="PHI")
    add(admin, "o's logins", "o", "login", defaults={"by": "both"}, required=["principalId"])

    async def do(http: httpx.AsyncClient) -> None:
        async def loaded() -> bool:
            return await status(http, organizationId="o", action="login") == 422

        await until(loaded)
        for organization, action in (("x", "read"), ("x", "login"), ("o", "read"), ("o", "login")):
            given = {"organizationId": organization, "action": action, "principalId": "p"}
            assert await status(http, **given) == 202
        told = {(e["organizationId"], e["action"]): e for e in await queued(settings) if "principalId" in e}
        assert {key: e["details"]["by"] for key, e in told.items()} == {
            ("x", "read"): "all",
            ("x", "login"): "action",
            ("o", "read"): "organization",
            ("o", "login"): "both",
        }
        assert told["o", "read"]["dataClassification"] == "PHI"
        admin.execute("update audit_preset set required_fields = '{ward}' where name = 'all'")

        async def changed() -> bool:
            return await status(http, organizationId="x") == 422

        await until(changed)

    with_intake(msgspec.structs.replace(settings, preset_refresh_s=0.05), do)


def test_in_an_outage_of_the_store_presets_come_from_the_cache(
    settings: Settings, admin: psycopg.Connection[Any], postgres_link: Link
) -> None:
    add(admin, "all", None, None, required=["ward"])
    demanding = msgspec.structs.replace(
        settings, preset_refresh_s=0.05, require_presets=True, database_url=postgres_link.through(settings.database_url)
    )

    async def refuses(http: httpx.AsyncClient) -> None:
        async def so() -> bool:
            return await status(http) == 422

        await until(so)
        assert await status(http, ward=1) == 202

    with_intake(demanding, refuses)
    postgres_link.cut()
    with_intake(demanding, refuses)  # a new start
    with_intake(msgspec.structs.replace(demanding, database_url=""), refuses)  # one that has no store


async def first_answer(http: httpx.AsyncClient) -> httpx.Response:
    """The first that is no 503 to an event that a preset refuses."""

    async def answered() -> httpx.Response | None:
        answer = await http.post("/events", content=wire())
        return None if answer.status_code == 503 else answer

    answer: httpx.Response = await until(answered)
    return answer


def cache_presets(settings: Settings) -> None:
    """Have an intake read the store's presets into the cache. On a busy machine its first look may be too late."""

    async def do(_: httpx.AsyncClient) -> None:
        async with Redis.from_url(settings.redis_url) as redis:
            await until(lambda: redis.exists(streams.PRESETS))

    with_intake(msgspec.structs.replace(settings, preset_refresh_s=0.05), do)


def test_no_event_is_taken_before_the_presets_were_looked_for(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    add(admin, "all", None, None, required=["ward"])

    async def do(http: httpx.AsyncClient) -> None:
        async def looks() -> bool:
            return admin.execute("select 1 from pg_locks where not granted").fetchone() is not None

        with admin.transaction():
            admin.execute("lock table audit_preset")
            await until(looks)
            answer = await http.post("/events", content=wire())
            assert (answer.status_code, "are being looked for" in answer.json()["error"]) == (503, True)
        assert (await first_answer(http)).status_code == 422

    with_intake(msgspec.structs.replace(settings, attempt_timeout_s=30.0), do, connected=False)


def test_an_intake_that_starts_in_an_outage_has_the_cached_presets_before_that_is_noticed(
    settings: Settings, admin: psycopg.Connection[Any], postgres_link: Link
) -> None:
    add(admin, "all", None, None, required=["ward"])

    async def do(http: httpx.AsyncClient) -> None:
        assert (await first_answer(http)).status_code == 422

    cache_presets(settings)
    postgres_link.silence()
    away = {"database_url": postgres_link.through(settings.database_url), "connect_timeout_s": 60.0}
    with_intake(msgspec.structs.replace(settings, **away), do, connected=False)


def test_an_intake_that_starts_while_the_queue_is_away_takes_nothing_without_the_cached_presets(
    settings: Settings, admin: psycopg.Connection[Any], redis_link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    add(admin, "all", None, None, required=["ward"])

    async def tried() -> bool:
        return caplog.text.count("the queue is unavailable") > 2

    async def do(http: httpx.AsyncClient) -> None:
        await until(tried)
        redis_link.mend()
        assert (await first_answer(http)).status_code == 422

    cache_presets(settings)
    redis_link.cut()
    away = msgspec.structs.replace(settings, redis_url=redis_link.through(settings.redis_url), database_url="")
    with_intake(away, do, connected=False)


def test_presets_that_were_never_read_are_503_only_where_they_are_demanded(
    settings: Settings, postgres_link: Link
) -> None:
    postgres_link.cut()
    away = msgspec.structs.replace(
        settings, preset_refresh_s=0.05, database_url=postgres_link.through(settings.database_url)
    )

    async def demanding(http: httpx.AsyncClient) -> None:
        answer = await http.post("/events", content=wire())
        assert (answer.status_code, "presets" in answer.json()["error"]) == (503, True)
        postgres_link.mend()

        async def taken() -> bool:
            return await status(http) == 202

        await until(taken)

    async def easy(http: httpx.AsyncClient) -> None:
        assert await status(http) == 202

    with_intake(away, easy)
    with_intake(msgspec.structs.replace(away, require_presets=True), demanding)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("validation", '{"ward": {"pattern": "("}}'),
        ("validation", '{"ward": {"pattern": "a{99999999999}"}}'),
        ("default_values", '{"ward": ' + "[" * 2000 + "]" * 2000 + "}"),
    ],
)
def test_an_unusable_preset_changes_nothing_and_stays_out_of_the_cache(
    settings: Settings, admin: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture, column: str, value: str
) -> None:
    add(admin, "all", None, None, required=["ward"])

    async def do(http: httpx.AsyncClient) -> None:
        async def refuses() -> bool:
            return await status(http) == 422

        await until(refuses)
        redis = Redis.from_url(settings.redis_url)
        before = await redis.get(streams.PRESETS)
        add(admin, "broken", "o", None)
        admin.execute(f"update audit_preset set {column} = %s::jsonb where name = 'broken'", [value])

        async def seen() -> bool:
            return "a preset cannot be used" in caplog.text

        await until(seen)
        assert await status(http) == 422
        assert await redis.get(streams.PRESETS) == before
        await redis.aclose()

    with_intake(msgspec.structs.replace(settings, preset_refresh_s=0.05), do)


def test_without_a_store_and_a_cache_an_intake_works_as_if_there_were_no_presets(servers: Servers) -> None:
    async def do(http: httpx.AsyncClient) -> None:
        assert await status(http) == 202

    with_intake(Settings(redis_url=servers.redis_url), do)


def test_a_cache_that_will_not_tell_keeps_no_event_out(servers: Servers) -> None:
    with SyncRedis.from_url(servers.redis_url) as redis:
        redis.sadd(streams.PRESETS, "no string")

    async def do(http: httpx.AsyncClient) -> None:
        assert await status(http) == 202

    with_intake(Settings(redis_url=servers.redis_url), do)


@pytest.mark.parametrize("cached", [b"no JSON", b"\xff", b"{}"])
def test_a_cache_that_is_not_ours_changes_nothing(
    servers: Servers, caplog: pytest.LogCaptureFixture, cached: bytes
) -> None:
    async def do(http: httpx.AsyncClient) -> None:
        async with Redis.from_url(servers.redis_url) as redis:
            await redis.set(streams.PRESETS, cached)
        for _ in range(2):

            async def seen() -> bool:
                return "a preset cannot be used" in caplog.text

            await until(seen)
            caplog.clear()
        assert await status(http) == 202

    with_intake(Settings(redis_url=servers.redis_url, preset_refresh_s=0.05), do)
