"""The manifest's [ingest]: where and how the target accepts events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

import msgspec

from shaketable.load.batch import Batch
from shaketable.load.sender import PLACE
from shaketable.target.body_server import WITNESS
from shaketable.target.strict import Strict

#: Keys of [ingest] that need contract = 2.
SINCE_2 = ("method", "headers", "accepted", "batch", "max_bytes", "sender", "service", "env")
#: Statuses of success; no other one can mean that an event was accepted.
SUCCESS = range(200, 300)
#: Bounds of an announced limit: the hostile shapes must fit, and a load must stay one.
LEAST_BYTES, MOST_BYTES = 1 << 16, 1 << 20
#: Characters of a path and its query that stay as they are.
PATH = "/%?&=:@!$'()*+,;~-._#"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Headers that the HTTP client writes itself.
_OWN = frozenset({"content-length", "host", "connection", "transfer-encoding"})


class Ingest(Strict, frozen=True, forbid_unknown_fields=True):
    """The intake: where the target accepts events."""

    process: str = ""  # the process that accepts events; only a sender may do without
    path: str = "/events"
    definite_refusals: tuple[int, ...] = (400, 401, 413, 422, 429, 503)  # certainly not accepted
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: dict[str, str] = msgspec.field(default_factory=dict)  # {env:NAME} is the value of an environment variable
    max_bytes: int | None = None  # the largest body that it accepts; absent: the mix stays below 64 KiB
    accepted: tuple[int, ...] = (202,)  # durable: the target promises to store the event
    batch: Batch | None = None  # several events in one request
    sender: str | None = None  # `file.py:Class`, which sends an event instead of HTTP
    service: str | None = None  # the service to which a sender sends
    env: dict[str, str] = msgspec.field(default_factory=dict)  # a sender's own variables, with {env:NAME}

    def mistakes(self) -> Iterator[str]:
        """Sentences on keys that contradict each other, each with the remedy."""
        if self.path == WITNESS:
            yield f"expected another ingest.path than {WITNESS}, to which the faults' witnesses post: write '/events'"
        if not self.accepted or any(status not in SUCCESS for status in self.accepted):
            yield f"expected ingest.accepted as statuses from 200 to 299, got {list(self.accepted)}: [202] is usual"
        if odd := [status for status in self.definite_refusals if not 100 <= status <= 599]:
            yield f"expected ingest.definite_refusals as statuses from 100 to 599, got {odd}: leave them out"
        if both := sorted(set(self.accepted) & set(self.definite_refusals)):
            yield f"ingest.accepted and ingest.definite_refusals both have {both}: leave them out of one"
        yield from self._unsendable()
        yield from self._of_sender()
        yield from self.batch.mistakes() if self.batch else ()
        if self.batch and (both := sorted(set(self.batch.accepted) & set(self.definite_refusals))):
            yield f"ingest.batch.accepted and ingest.definite_refusals both have {both}: leave them out of one"
        if self.max_bytes is not None and not LEAST_BYTES <= self.max_bytes <= MOST_BYTES:
            yield f"expected ingest.max_bytes from {LEAST_BYTES} to {MOST_BYTES}, got {self.max_bytes}: leave it out"
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name) or name.lower() in _OWN:
                yield f"expected ingest.headers to name a header of your own, got {name!r}: leave it out"
            elif not value.isprintable():
                yield f"expected ingest.headers.{name} on one line, got a control character: leave it out"
            elif not value.isascii():
                yield f"expected ingest.headers.{name} in ASCII, got {value!r}: leave other characters out"

    def _unsendable(self) -> Iterator[str]:
        """Paths that the HTTP client of the load cannot send: each attempt would be indeterminate."""
        for key, path in (("path", self.path), ("batch.path", self.batch.path if self.batch else None)):
            if path is not None and not path.isascii():
                yield f"expected ingest.{key} in ASCII, got {path!r}: write {quote(path, safe=PATH)!r}"
            elif path is not None and path.startswith("//"):
                yield f"expected ingest.{key} to begin with one slash, got {path!r}: write {'/' + path.lstrip('/')!r}"

    def _of_sender(self) -> Iterator[str]:
        if self.sender is None:
            if self.service is not None:
                yield "ingest.service is for a sender, and ingest.sender is missing: leave one out, or name the other"
            if self.env:
                yield "ingest.env is for a sender, and ingest.sender is missing: write env of a [[process]]"
            return
        if not PLACE.fullmatch(self.sender):
            yield f"expected ingest.sender as 'file.py:Class', got {self.sender!r}: name a file and a class in it"
        if odd := [key for key in OVER_HTTP if getattr(self, key) != getattr(_DEFAULTS, key)]:
            named = ", ".join(f"ingest.{key}" for key in odd)
            yield f"{named} is for an intake over HTTP, and ingest.sender sends instead: leave one out"
        if self.batch and self.batch != Batch(self.batch.size, max_bytes=self.batch.max_bytes):
            yield "ingest.batch has keys for HTTP, and ingest.sender sends instead: name size and max_bytes only"
        if self.process and self.service:
            yield (
                f"ingest.process is {self.process!r} and ingest.service is {self.service!r}, and the clients have one "
                "link: leave one out"
            )


#: Keys that a sender does not use.
OVER_HTTP = ("path", "definite_refusals", "method", "headers", "accepted")
_DEFAULTS = Ingest()
