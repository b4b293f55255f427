"""Recovery of a Toxiproxy that has wedged.

Putting a toxic on, or taking one off, while a client does not read locks the server up: it waits for that client,
answers nothing that concerns the proxy, and 503 only after 25 s. Deleting the proxy still answers at once (2.12,
tried). So: delete it and make it anew as it should be; if that fails, restart the server and make all anew. Either cuts
connections, which is a fault in itself, and is recorded as one. A proxy that the server lost is made anew, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from shaketable.clock import Clock, SystemClock
from shaketable.errors import HarnessError, ServerUnavailable
from shaketable.op import Kind, Op
from shaketable.stack.toxiproxy.client import Stream, Toxiproxy

#: Seconds that a change of a proxy takes at most, recovery included: a bounded call, a failed repair, a restart.
RECOVERY_S = 10.0


@dataclass(frozen=True)
class WantedToxic:
    """A toxic as it should be."""

    kind: str
    attributes: Mapping[str, int]
    stream: Stream


@dataclass(frozen=True)
class WantedProxy:
    """A proxy as it should be."""

    listen: str
    upstream: str
    enabled: bool = True
    toxics: Mapping[str, WantedToxic] = field(default_factory=dict)  # in the order they came


class RepairingToxiproxy(Toxiproxy):
    """A server that is mended when it wedges. `restart` ends it and starts it again at the same address, if we may."""

    def __init__(
        self, host: str, port: int, restart: Callable[[], None] | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(host, port)
        self._restart, self._clock = restart, clock or SystemClock()
        self._wanted: dict[str, WantedProxy] = {}
        self._lock = threading.RLock()  # a fault may have a thread of its own: one change at a time
        self.record: Callable[[Op], object] = id  # takes every recovery; nobody listens yet

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

    def _change(self, name: str, wanted: WantedProxy | None, change: Callable[[], None]) -> None:
        """Make a change; where the server does not answer it, mend. What it refuses is not wanted any more."""
        before, began = self._wanted.get(name), self._clock.now()
        if wanted is not None:
            self._wanted[name] = wanted
        try:
            change()
        except ServerUnavailable as e:
            if wanted is None:
                raise  # not a proxy of ours: nobody knows how it should be
            self._recover(name, began, e)
        except BaseException:
            self._wanted.pop(name, None) if before is None else self._wanted.update({name: before})
            raise

    def _recover(self, name: str, began: int, cause: ServerUnavailable) -> None:
        how = "recreated"
        try:
            super().delete(name)
            self._make(name)
        except HarnessError as e:
            if self._restart is None:
                raise HarnessError(f"Toxiproxy is wedged, and it is not ours to restart: restart it ({cause})") from e
            how = "restarted"
            self._restart()
            for each in self._wanted:
                self._make(each)
        self.record(Op("toxiproxy", Kind.REPAIR, began, self._clock.now(), detail={"proxy": name, "how": how}))

    def _make(self, name: str) -> None:
        """A proxy that is not there, as it should be. Raises HarnessError."""
        wanted = self._wanted[name]
        super().create(name, wanted.listen, wanted.upstream, wanted.enabled)
        for key, toxic in wanted.toxics.items():
            super().add_toxic(name, key, toxic.kind, toxic.attributes, toxic.stream)
