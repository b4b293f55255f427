"""Alerts: to the log and to a webhook, at most one of a kind within the cool-down.

Alerts within the cool-down are added to the next one. Each worker counts for itself. No alert delays a delivery, and
none carries an event's content.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from reference_impl import log
from reference_impl.operations import metrics
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
    """Sends what is due at `notify` and at each `send_due`."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._now = settings, now
        self._pending: dict[str, tuple[str, int]] = {}  # text and count of each kind
        self._due_at: dict[str, float] = {}
        self._posts: set[asyncio.Task[None]] = set()

    def notify(self, kind: str, text: str, count: int = 1) -> None:
        """Alert now, or when the cool-down of this kind is over."""
        self._pending[kind] = (text, count + self._pending.get(kind, ("", 0))[1])
        self.send_due()

    def send_due(self, all_kinds: bool = False) -> None:
        """Log and post the kinds whose cool-down is over. It begins with the line in the log, not with the post."""
        now = self._now()
        for kind in [kind for kind in self._pending if all_kinds or now >= self._due_at.get(kind, now)]:
            (text, count), self._due_at[kind] = self._pending.pop(kind), now + self._settings.alert_cooldown_s
            log.warning("alert", kind=kind, text=text, count=count)
            post = asyncio.create_task(self._post(Alert(kind, text, count, self._settings.process, datetime.now(UTC))))
            self._posts.add(post)
            post.add_done_callback(self._posts.discard)

    async def close(self) -> None:
        """Send pending alerts within CLOSE_S."""
        self.send_due(all_kinds=True)
        if self._posts:
            _, late = await asyncio.wait(self._posts, timeout=CLOSE_S)
            for post in late:
                post.cancel()

    async def _post(self, alert: Alert) -> None:
        try:
            if url := self._settings.alert_webhook_url:
                import httpx  # takes 0.2 s, and few have a webhook

                body = msgspec.to_builtins(alert)
                async with asyncio.timeout(POST_S), httpx.AsyncClient() as client:  # httpx's time-out is for each read
                    (await client.send(client.build_request("POST", url, json=body), stream=True)).raise_for_status()
            metrics.ALERTS.labels(alert.kind).inc()
        except Exception as e:  # httpx raises groups of errors, too
            log.warning("the webhook did not take an alert", kind=alert.kind, type=type(e).__name__)
            text, count = self._pending.get(alert.kind, (alert.text, 0))
            self._pending[alert.kind] = (text, count + alert.count)  # sent with the next one
