"""Repair a wedged Toxiproxy.

Adding or removing a toxic while a client does not read deadlocks the server: it waits for that client and answers
requests for the proxy only after 25 s, with 503. Deleting the proxy still works at once (tested with 2.12). The repair
therefore recreates the proxy; if that fails, it restarts the server and recreates all proxies. Either cuts connections,
which is a fault in itself and recorded as one. A proxy that the server has lost is recreated, too.

A server that was only held up, as on a starved machine, needs no repair: it lists its proxies, which a wedged one does
not, and has made the change meanwhile, or makes it now.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from shaketable.clock import Clock, SystemClock
from shaketable.errors import HarnessError, ServerUnavailable
from shaketable.op import Kind, Op
from shaketable.stack.toxiproxy.client import Stream, Toxiproxy

#: The longest change of a proxy in seconds, with its repair: a bounded call, a look, a failed deletion, a restart.
RECOVERY_S = 10.0


@dataclass(frozen=True)
class WantedToxic:
    """The desired state of a toxic."""

    kind: str
    attributes: Mapping[str, int]
    stream: Stream


@dataclass(frozen=True)
class WantedProxy:
    """The desired state of a proxy."""

    listen: str
    upstream: str
    enabled: bool = True
    toxics: Mapping[str, WantedToxic] = field(default_factory=dict)  # in order of addition


class RepairingToxiproxy(Toxiproxy):
    """A client that repairs a wedged server. `restart` restarts it at the same address; None if that is not allowed."""

    def __init__(
        self, host: str, port: int, restart: Callable[[], None] | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(host, port)
        self._restart, self._clock = restart, clock or SystemClock()
        self._wanted: dict[str, WantedProxy] = {}
        self._lock = threading.RLock()  # faults may run in threads: one change at a time
        self.record: Callable[[Op], object] = id  # receives every repair; ignores them by default

    def create(self, name: str, listen: str, upstream: str, enabled: bool = True) -> None:
        with self._lock:
            change = partial(super().create, name, listen, upstream, enabled)
            self._change(name, WantedProxy(listen, upstream, enabled), change)

    def delete(self, name: str) -> None:
        with self._lock:
            super().delete(name)
            self._wanted.pop(name, None)

    def aim(self, name: str, upstream: str) -> None:
        with self._lock:
            wanted = self._wanted.get(name)
            self._change(name, wanted and replace(wanted, upstream=upstream), partial(super().aim, name, upstream))

    def enable(self, name: str, on: bool) -> None:
        with self._lock:
            wanted = self._wanted.get(name)
            self._change(name, wanted and replace(wanted, enabled=on), partial(super().enable, name, on))

    def add_toxic(
        self, proxy: str, name: str, kind: str, attributes: Mapping[str, int], stream: Stream = "downstream"
    ) -> None:
        with self._lock:
            wanted, toxic = self._wanted.get(proxy), WantedToxic(kind, dict(attributes), stream)
            change = partial(super().add_toxic, proxy, name, kind, attributes, stream)
            self._change(proxy, wanted and replace(wanted, toxics={**wanted.toxics, name: toxic}), change)

    def remove_toxic(self, proxy: str, name: str) -> None:
        with self._lock:
            wanted = self._wanted.get(proxy)
            left = {key: toxic for key, toxic in wanted.toxics.items() if key != name} if wanted else {}
            self._change(proxy, wanted and replace(wanted, toxics=left), partial(super().remove_toxic, proxy, name))

    def clear(self) -> None:
        """Delete every proxy; a server that does not answer is restarted, if that is allowed. Raises HarnessError."""
        with self._lock:
            self._wanted.clear()
            try:
                for name in self.proxies():
                    super().delete(name)
            except ServerUnavailable:
                if self._restart is None:
                    raise
                self._restart()

    def _change(self, name: str, wanted: WantedProxy | None, change: Callable[[], None]) -> None:
        """Apply a change; repair the server if it does not answer; restore the desired state if it refuses."""
        before, began = self._wanted.get(name), self._clock.now()
        if wanted is not None:
            self._wanted[name] = wanted
        try:
            change()
        except ServerUnavailable as e:
            if wanted is None:
                raise  # not one of this run's proxies: its desired state is unknown
            if not self._was_held_up(name, change):
                self._recover(name, began, e)
        except BaseException:
            self._wanted.pop(name, None) if before is None else self._wanted.update({name: before})
            raise

    def _was_held_up(self, name: str, change: Callable[[], None]) -> bool:
        """Whether the server answers again, and the change is made, by then or at the second try."""
        try:
            if name not in (found := self.proxies()):
                return False
            if not _is(self._wanted[name], found[name]):
                change()
        except Exception:  # whatever it refuses by now: a proxy that is recreated is as it should be
            return False
        return True

    def _recover(self, name: str, began: int, cause: ServerUnavailable) -> None:
        how = "recreated"
        try:
            super().delete(name)
            self._make(name)
        except HarnessError as e:
            if self._restart is None:
                raise HarnessError(f"Toxiproxy is wedged, and this run did not start it: restart it ({cause})") from e
            how = "restarted"
            self._restart()
            for each in self._wanted:
                self._make(each)
        self.record(Op("toxiproxy", Kind.REPAIR, began, self._clock.now(), detail={"proxy": name, "how": how}))

    def _make(self, name: str) -> None:
        """Create a proxy in its desired state. Raises HarnessError."""
        wanted = self._wanted[name]
        super().create(name, wanted.listen, wanted.upstream, wanted.enabled)
        for key, toxic in wanted.toxics.items():
            super().add_toxic(name, key, toxic.kind, toxic.attributes, toxic.stream)


def _is(wanted: WantedProxy, found: Mapping[str, Any]) -> bool:
    """Whether a proxy is as it is wanted; the server fills in attributes that were not given."""
    if (found["enabled"], found["upstream"]) != (wanted.enabled, wanted.upstream):
        return False
    toxics = {toxic["name"]: toxic["attributes"] for toxic in found["toxics"]}
    return toxics.keys() == wanted.toxics.keys() and all(
        {**toxics[name], **toxic.attributes} == toxics[name] for name, toxic in wanted.toxics.items()
    )
