"""The manifest's [traces]: the target sends its spans to a receiver of the harness, over OTLP."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shaketable.target.strict import Strict

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Traces(Strict, frozen=True, forbid_unknown_fields=True):
    """A receiver of spans; the load sends each event with a `traceparent` of its own."""

    env: str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"  # the variable that hands its URL to each process, without a link

    def mistakes(self) -> Iterator[str]:
        """Sentences on keys that are no variable, with the remedy."""
        if not _VARIABLE.fullmatch(self.env):
            yield f"expected traces.env to name a variable, got {self.env!r}: write {type(self).env!r} or so"
