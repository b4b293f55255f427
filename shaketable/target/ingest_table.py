"""The manifest's [ingest]: where and how the target accepts events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from shaketable.target.strict import Strict

#: Keys of [ingest] that need contract = 2.
SINCE_2 = ("method", "headers", "accepted")
#: Statuses of success; no other one can mean that an event was accepted.
SUCCESS = range(200, 300)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Headers that the HTTP client writes itself.
_OWN = frozenset({"content-length", "host", "connection", "transfer-encoding"})


class Ingest(Strict, frozen=True, forbid_unknown_fields=True):
    """The intake: where the target accepts events."""

    process: str
    path: str = "/events"
    definite_refusals: tuple[int, ...] = (400, 401, 413, 422, 429, 503)  # certainly not accepted
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: dict[str, str] = msgspec.field(default_factory=dict)  # {env:NAME} is the value of an environment variable
    accepted: tuple[int, ...] = (202,)  # durable: the target promises to store the event

    def mistakes(self) -> Iterator[str]:
        """Sentences on keys that contradict each other, each with the remedy."""
        if not self.accepted or any(status not in SUCCESS for status in self.accepted):
            yield f"expected ingest.accepted as statuses from 200 to 299, got {list(self.accepted)}: [202] is usual"
        if both := sorted(set(self.accepted) & set(self.definite_refusals)):
            yield f"ingest.accepted and ingest.definite_refusals both have {both}: leave them out of one"
        for name, value in self.headers.items():
            if not _TOKEN.fullmatch(name) or name.lower() in _OWN:
                yield f"expected ingest.headers to name a header of your own, got {name!r}: leave it out"
            elif not value.isprintable():
                yield f"expected ingest.headers.{name} on one line, got a control character: leave it out"
