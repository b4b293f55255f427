"""A client of a Toxiproxy server. Only this file uses the client library, and it works around its defects.

toxiproxy-python 0.1.1 stores host and port in a class, sets no timeouts, treats a 5xx as success, returns nothing from
`add_toxic`, and uses HTTP_PROXY; the server ignores unknown attribute names. Therefore this client uses its own HTTP
session with a timeout for every call, and reads every toxic back.
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

#: Timeout of a call in seconds; a wedged server answers 503 only after 25 s.
CALL_S = 2.0

Stream = Literal["upstream", "downstream"]
_library = threading.RLock()  # the library's class attributes allow only one server at a time


class Toxiproxy:
    """A server by its API address."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._session = requests.Session()
        self._session.trust_env = False  # ignore HTTP_PROXY for loopback

    def version(self) -> str:
        """The version by GET /version."""
        return str(self._call("get", "/version").json()["version"])

    def create(self, name: str, listen: str, upstream: str, enabled: bool = True) -> None:
        """Create a proxy; the name must be unused."""
        with self._as_library() as library:
            library.create(upstream=upstream, name=name, listen=listen, enabled=enabled)

    def delete(self, name: str) -> None:
        """Delete a proxy, even a wedged one, and close its connections; a missing proxy is no error."""
        with suppress(NotFound):
            self._call("delete", f"/proxies/{name}")

    def aim(self, name: str, upstream: str) -> None:
        """Change a proxy's upstream and read it back; this cuts its connections, and its toxics stay."""
        self._update(name, upstream=upstream)

    def enable(self, name: str, on: bool) -> None:
        """Enable or disable a proxy and read it back; disabling cuts its connections."""
        self._update(name, enabled=on)

    def add_toxic(
        self, proxy: str, name: str, kind: str, attributes: Mapping[str, int], stream: Stream = "downstream"
    ) -> None:
        """Add a toxic to a proxy and read it back. Raises HarnessError when its attributes differ."""
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
        """Remove a toxic; a missing toxic is no error."""
        with self._as_library() as library:
            found = library.get_proxy(proxy)
            if found is not None and found.get_toxic(name) is not None:
                found.destroy_toxic(name)

    def proxies(self) -> dict[str, dict[str, Any]]:
        """All proxies as the server reports them: listen, upstream, enabled, toxics."""
        return dict(self._call("get", "/proxies").json())

    def _update(self, name: str, **fields: Any) -> None:
        try:
            said = self._call("patch", f"/proxies/{name}", json=fields).json()
        except NotFound as e:
            raise self._lost(name) from e
        if any(said.get(key) != value for key, value in fields.items()):
            raise HarnessError(f"proxy {name}: asked for {fields}, the server says {said}")

    def _lost(self, name: str) -> ServerUnavailable:
        """The error for a missing proxy: the server was restarted, or the proxy deleted."""
        return ServerUnavailable(f"expected a proxy {name} at {self.host}:{self.port}, but it has none of that name")

    def _call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        try:
            answer = self._session.request(method, f"http://{self.host}:{self.port}{path}", timeout=CALL_S, **kwargs)
        except requests.RequestException as e:
            raise ServerUnavailable(
                f"Toxiproxy at {self.host}:{self.port} does not answer {path} in {CALL_S} s: {e}"
            ) from e
        if answer.status_code == 503:  # a wedged server answers so after 25 s
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
    """Binds the library to one server, with bounded calls, for the duration of a `with`."""

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
