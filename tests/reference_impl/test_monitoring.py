"""Prometheus beside the reference: every query of the dashboard has an answer, and alerts fire and resolve.

Needs Debian's package `prometheus`, with promtool.
"""

from __future__ import annotations

import asyncio
import json
import math
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from tests.conftest import Servers
from tests.reference_impl.conftest import Link, Processes, all_stored, client, health, send, until, wire
from tests.reference_impl.test_metrics import DASHBOARD, ROOT
from tests.reference_impl.test_store import REFUSE

RULES = ROOT / "monitoring" / "alerts.yml"
ALERTS = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
#: The alerts of an outage of the store in which one event is refused for good.
FIRE = {"BreakerOpen", "BacklogNotDraining", "DeadLetters"}
#: Trials of the breaker that are rare enough to be seen OPEN, and frequent counts of dead letters.
OFTEN = {"BREAKER_RECOVERY_TIMEOUT_S": "15", "UPKEEP_INTERVAL_S": "2"}
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


def program(name: str) -> str:
    """Its path; without it the test is skipped."""
    if (path := shutil.which(name)) is None:
        pytest.skip(f"expected {name} on PATH, found none: apt-get install prometheus")
    return path


def test_rules_fire_and_resolve_for_made_series() -> None:
    told = yaml.safe_load((RULES.parent / "alerts_test.yml").read_text())["tests"][0]["alert_rule_test"]
    fired = {case["alertname"] for case in told if case.get("exp_alerts")}
    assert fired == {case["alertname"] for case in told if not case.get("exp_alerts")} == ALERTS
    test = [program("promtool"), "test", "rules", str(RULES.parent / "alerts_test.yml")]
    done = subprocess.run(test, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


class Prometheus:
    """A server of its own on loopback that scrapes these addresses each second."""

    def __init__(self, folder: Path, port: int, targets: dict[str, str]) -> None:
        scraped = [
            {"targets": [url.removeprefix("http://")], "labels": {"process": name}} for name, url in targets.items()
        ]
        told = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "reference", "static_configs": scraped}],
        }
        (folder / "prometheus.yml").write_text(json.dumps(told))  # JSON is YAML
        self.url, self.began = f"http://127.0.0.1:{port}", time.time()
        paths = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
        listen = f"--web.listen-address=127.0.0.1:{port}"
        log = (folder / "prometheus.log").open("wb")
        self.child = subprocess.Popen([program("prometheus"), *paths, listen], stdout=log, stderr=log)
        log.close()

    async def scrapes(self, http: httpx.AsyncClient, targets: int) -> bool:
        """Whether it has scraped so many targets."""
        try:
            return len(await self.series(http, "up == 1")) == targets
        except httpx.TransportError:
            return False

    async def firing(self, http: httpx.AsyncClient) -> set[str]:
        """The names of the alerts that fire now."""
        try:
            told = (await http.get(f"{self.url}/api/v1/alerts")).json()
        except httpx.TransportError:
            return set()
        return {alert["labels"]["alertname"] for alert in told["data"]["alerts"] if alert["state"] == "firing"}

    async def series(self, http: httpx.AsyncClient, query: str) -> list[Any]:
        """The series of a query, from the start until now, that have a number."""
        over: dict[str, str | float] = {"start": self.began, "end": time.time(), "step": 1}
        asked = {"query": query.replace("$__rate_interval", "10s"), **over}
        told = (await http.get(f"{self.url}/api/v1/query_range", params=asked)).json()
        assert told["status"] == "success", told
        return [one for one in told["data"]["result"] if any(math.isfinite(float(value)) for _, value in one["values"])]


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_prometheus_answers_every_query_and_its_alerts_fire_in_an_outage_and_resolve_after_it(
    processes: Processes, postgres_link: Link, servers: Servers, admin: psycopg.Connection[Any], tmp_path: Path
) -> None:
    program("prometheus")

    async def run(server: Prometheus) -> None:
        fired = set[str]()

        async def fires(alerts: set[str]) -> bool:
            fired.update(await server.firing(http))
            return fired >= alerts

        async with client() as http:
            await until(lambda: health(http, intake, 100, lanes=5))
            await until(lambda: server.scrapes(http, 2), within_s=60)
            admin.execute(REFUSE.format(code="22023"))
            stored = await send(http, intake, 50)
            await http.post(f"{intake}/events", content=wire(action="poison"))
            await until(lambda: all_stored(admin, stored))
            await until(lambda: fires({"DeadLetters"}))  # else the outage may come before the dead letter is written
            assert "BreakerOpen" not in fired
            postgres_link.cut()
            waiting = await send(http, intake, 50)
            await until(lambda: fires(FIRE), within_s=120)
            postgres_link.mend()
            await until(lambda: all_stored(admin, waiting), within_s=60)

            async def over() -> bool:
                return not await server.firing(http)

            await until(over, within_s=180)
            assert fired == FIRE
            assert [query for query in QUERIES if not await server.series(http, query)] == []

    _, intake = processes.start("ingest", "ingest")
    through = postgres_link.through(servers.postgres_url)
    _, worker = processes.start("work", "worker-1", DATABASE_URL=through, **OFTEN)
    server = Prometheus(tmp_path, servers.stack.take_port(), {"ingest": intake, "worker": worker})
    try:
        asyncio.run(run(server))
    finally:
        admin.execute("drop trigger if exists refuse on audit_log")
        server.child.terminate()
        server.child.wait(30)
