"""The Toxiproxy server as the harness sees it. This file alone knows the client library, and closes its traps.

toxiproxy-python 0.1.1 keeps host and port in a class, sets no time-outs, takes a 5xx for success, returns nothing from
`add_toxic`, and obeys HTTP_PROXY; the server ignores attribute names it does not know. So: our own session underneath,
every call bounded, every toxic read back.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

import requests
from toxiproxy import Toxiproxy as Library
from toxiproxy.api import APIConsumer, validate_response
from toxiproxy.exceptions import NotFound

from shaketable.errors import HarnessError, ServerUnavailable

#: Seconds that any call may take: a wedged server answers 503 only after 25.
CALL_S = 2.0

Stream = Literal["upstream", "downstream"]
_library = threading.RLock()  # host and port are the library's class attributes: one server at a time


class Toxiproxy:
    """One server, by its API address."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._session = requests.Session()
        self._session.trust_env = False  # HTTP_PROXY must not come between us and loopback

    def version(self) -> str:
        """What GET /version says."""
        return str(self._call("get", "/version").json()["version"])

    def create(self, name: str, listen: str, upstream: str, enabled: bool = True) -> None:
        """Open a proxy; one of that name must not exist."""
        with self._as_library() as library:
            library.create(upstream=upstream, name=name, listen=listen, enabled=enabled)

    def delete(self, name: str) -> None:
        """End a proxy and its connections; works on a wedged one too. One that is not there has ended already."""
        with suppress(NotFound):
            self._call("delete", f"/proxies/{name}")

    def aim(self, name: str, upstream: str) -> None:
        """Lead a proxy elsewhere: old connections are cut, toxics stay. Read back."""
        self._update(name, upstream=upstream)

    def enable(self, name: str, on: bool) -> None:
        """Listen or refuse; refusing cuts old connections. Read back."""
        self._update(name, enabled=on)

    def add_toxic(
        self, proxy: str, name: str, kind: str, attributes: Mapping[str, int], stream: Stream = "downstream"
    ) -> None:
        """Put a toxic on a proxy and read it back. Raises HarnessError when it is not as asked."""
        with self._as_library() as library:
            found = library.get_proxy(proxy)
            if found is None:
                raise self._lost(proxy)
            found.add_toxic(name=name, type=kind, stream=stream, attributes=dict(attributes))
            toxic = found.get_toxic(name)
        set_ = {key: toxic.attributes.get(key) for key in attributes} if toxic else None
        if set_ != dict(attributes):
            raise HarnessError(f"toxic {name} of {proxy}: asked for {dict(attributes)}, read back {set_}")

    def remove_toxic(self, proxy: str, name: str) -> None:
        """Take a toxic off; one that is not there is off already."""
        with self._as_library() as library:
            found = library.get_proxy(proxy)
            if found is not None and found.get_toxic(name) is not None:
                found.destroy_toxic(name)

    def proxies(self) -> dict[str, dict[str, Any]]:
        """Every proxy as the server tells it: listen, upstream, enabled, toxics."""
        return dict(self._call("get", "/proxies").json())

    def _update(self, name: str, **fields: Any) -> None:
        try:
            said = self._call("patch", f"/proxies/{name}", json=fields).json()
        except NotFound as e:
            raise self._lost(name) from e
        if any(said.get(key) != value for key, value in fields.items()):
            raise HarnessError(f"proxy {name}: asked for {fields}, the server says {said}")

    def _lost(self, name: str) -> ServerUnavailable:
        """A proxy of ours that is not there: somebody restarted the server, or deleted it."""
        return ServerUnavailable(f"expected a proxy {name} at {self.host}:{self.port}, but it has none of that name")

    def _call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        try:
            answer = self._session.request(method, f"http://{self.host}:{self.port}{path}", timeout=CALL_S, **kwargs)
        except requests.RequestException as e:
            raise ServerUnavailable(
                f"Toxiproxy at {self.host}:{self.port} does not answer {path} in {CALL_S} s: {e}"
            ) from e
        if answer.status_code == 503:  # what it says of itself 25 s after it wedged
            raise ServerUnavailable(
                f"Toxiproxy at {self.host}:{self.port} answers 503 to {method} {path}: it is wedged"
            )
        validate_response(answer)
        if answer.status_code >= 400:
            raise HarnessError(f"Toxiproxy answered {answer.status_code} to {method} {path}: {answer.text[:200]}")
        return answer

    def _as_library(self) -> _Bound:
        return _Bound(self)


class _Bound:
    """The library, for the time of a `with`, bound to one server by our own bounded calls."""

    def __init__(self, server: Toxiproxy) -> None:
        self._server = server

    def __enter__(self) -> Library:
        _library.acquire()
        call = self._server._call
        APIConsumer.get = staticmethod(lambda url, params=None, **kw: call("get", url, params=params, **kw))
        APIConsumer.delete = staticmethod(lambda url, **kw: call("delete", url, **kw))
        APIConsumer.post = staticmethod(lambda url, json=None, **kw: call("post", url, json=json, **kw))
        return Library()

    def __exit__(self, *_: object) -> None:
        _library.release()
