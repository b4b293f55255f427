"""The manifest's [metrics]: the counters that the target's processes show to Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.target.strict import Strict

#: The counters that a manifest may name.
COUNTERS = ("accepted", "stored", "duplicates")


class MetricsTable(Strict, frozen=True, forbid_unknown_fields=True):
    """Series of counters; each process with a `health` path serves them, and they are added up."""

    path: str = "/metrics"  # of each process, in the text format of Prometheus
    accepted: str | None = None  # events that the intake has acknowledged
    stored: str | None = None  # events that were committed
    duplicates: str | None = None  # deliveries of events that were stored before

    def mistakes(self) -> Iterator[str]:
        """Sentences on keys that name nothing."""
        if not any(self.series.values()):
            yield f"expected [metrics] to name one of {', '.join(COUNTERS)}: name the series of a counter"
        if not self.path.startswith("/"):
            yield f"expected metrics.path to begin with a slash, got {self.path!r}: write '/{self.path}'"

    @property
    def series(self) -> dict[str, str | None]:
        """The series by the counter's name."""
        return {name: getattr(self, name) for name in COUNTERS}
