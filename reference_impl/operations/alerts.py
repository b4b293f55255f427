"""Alerts: to the log and to a webhook, at most one of a kind within the cool-down.

What came meanwhile is counted in the next; each worker counts for itself. No alert holds up a delivery, and none
carries an event's content.
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

#: Longest that a post may take, and all of them when the worker stops, in seconds.
POST_S, CLOSE_S = 5.0, 2.0


class Alert(msgspec.Struct, frozen=True):
    """What a webhook is sent."""

    kind: str  # dead_letter, dead_letters_past_threshold, breaker_open
    text: str  # the last of those counted
    count: int  # how many since the last alert of this kind
    process: str
    at: datetime


class Alerts:
    """Tells, and remembers what was told when."""

    def __init__(self, settings: Settings, sleep: Sleep) -> None:
        self._settings, self._sleep = settings, sleep
        self._untold: dict[str, tuple[str, int]] = {}
        self._telling: dict[str, asyncio.Task[None]] = {}

    def notify(self, kind: str, text: str, count: int = 1) -> None:
        """Alert now, or when the cool-down of this kind is over."""
        self._keep(kind, text, count)
        if kind not in self._telling or self._telling[kind].done():
            self._telling[kind] = asyncio.create_task(self._tell(kind))

    async def close(self) -> None:
        """Tell what is untold, for as long as there is time; the sleep must raise ShuttingDown by now."""
        if self._telling:
            _, late = await asyncio.wait(self._telling.values(), timeout=CLOSE_S)
            for task in late:
                task.cancel()

    async def _tell(self, kind: str) -> None:
        """A turn's cool-down begins with its line in the log: no post holds up the next."""
        posts: list[asyncio.Task[None]] = []
        with suppress(ShuttingDown):
            while kind in self._untold:
                posts = [asyncio.create_task(self._send(self._log(kind)))]
                await self._sleep(self._settings.alert_cooldown_s)
                await posts[0]  # over long ago, unless the cool-down is shorter than POST_S
        if kind in self._untold:
            posts.append(asyncio.create_task(self._send(self._log(kind))))
        await asyncio.gather(*posts)

    def _log(self, kind: str) -> Alert:
        text, count = self._untold.pop(kind)
        log.warning("alert", kind=kind, text=text, count=count)
        return Alert(kind, text, count, self._settings.process, datetime.now(UTC))

    async def _send(self, alert: Alert) -> None:
        try:
            await self._post(alert)
            metrics.ALERTS.labels(alert.kind).inc()
        except Exception as e:  # not only httpx's own: a port that none is comes as a group of errors
            log.warning("the webhook did not take an alert", kind=alert.kind, type=type(e).__name__)
            self._keep(alert.kind, alert.text, alert.count)  # for the next turn

    def _keep(self, kind: str, text: str, count: int) -> None:
        self._untold[kind] = (text, count + self._untold.get(kind, ("", 0))[1])

    async def _post(self, alert: Alert) -> None:
        """Raises whatever is wrong with the webhook. What it says in its body is not read."""
        if url := self._settings.alert_webhook_url:
            told = msgspec.to_builtins(alert)
            async with (
                asyncio.timeout(POST_S),  # httpx's own is of each read
                httpx.AsyncClient() as client,
                client.stream("POST", url, json=told) as answer,
            ):
                answer.raise_for_status()
