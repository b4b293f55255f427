"""Alerts: to the log and to a webhook, at most one of a kind within the cool-down.

Alerts within the cool-down are added to the next one. Each worker counts for itself. No alert delays a delivery, and
none carries an event's content.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import msgspec

from reference_impl import log
from reference_impl.errors import ShuttingDown
from reference_impl.operations import metrics
from reference_impl.resilience.backoff import Sleep
from reference_impl.settings import Settings

#: Longest that one post may take, and that all may take when the worker stops, in seconds.
POST_S, CLOSE_S = 5.0, 2.0


class Alert(msgspec.Struct, frozen=True):
    """The JSON body of a post."""

    kind: str  # dead_letter, dead_letters_past_threshold, breaker_open
    text: str  # of the latest occurrence
    count: int  # occurrences since the last alert of this kind
    process: str
    at: datetime


class Alerts:
    """Sends alerts, with one task for each kind that was sent or awaits its cool-down."""

    def __init__(self, settings: Settings, sleep: Sleep) -> None:
        self._settings, self._sleep = settings, sleep
        self._pending: dict[str, tuple[str, int]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def notify(self, kind: str, text: str, count: int = 1) -> None:
        """Alert now, or when the cool-down of this kind is over."""
        self._pending[kind] = (text, count + self._pending.get(kind, ("", 0))[1])
        if kind not in self._tasks or self._tasks[kind].done():
            self._tasks[kind] = asyncio.create_task(self._send_all(kind))

    async def close(self) -> None:
        """Send pending alerts within CLOSE_S. The sleep must raise ShuttingDown by now."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=CLOSE_S)
            for task in late:
                task.cancel()

    async def _send_all(self, kind: str) -> None:
        """The cool-down begins with the line in the log, so that no post delays the next alert."""
        async with asyncio.TaskGroup() as posts:
            with suppress(ShuttingDown):
                while kind in self._pending:
                    post = posts.create_task(self._post(self._log(kind)))
                    await self._sleep(self._settings.alert_cooldown_s)
                    await post  # it has ended, unless the cool-down is shorter than POST_S
            if kind in self._pending:
                posts.create_task(self._post(self._log(kind)))

    def _log(self, kind: str) -> Alert:
        text, count = self._pending.pop(kind)
        log.warning("alert", kind=kind, text=text, count=count)
        return Alert(kind, text, count, self._settings.process, datetime.now(UTC))

    async def _post(self, alert: Alert) -> None:
        try:
            if url := self._settings.alert_webhook_url:
                body = msgspec.to_builtins(alert)
                async with asyncio.timeout(POST_S), httpx.AsyncClient() as client:  # httpx's time-out is for each read
                    (await client.send(client.build_request("POST", url, json=body), stream=True)).raise_for_status()
            metrics.ALERTS.labels(alert.kind).inc()
        except Exception as e:  # httpx raises groups of errors, too
            log.warning("the webhook did not take an alert", kind=alert.kind, type=type(e).__name__)
            text, count = self._pending.get(alert.kind, (alert.text, 0))
            self._pending[alert.kind] = (text, count + alert.count)  # sent with the next one
