"""The manifest's [mix]: the events that the target never receives in production."""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.target.strict import Strict

#: The shares of a scenario's mix that a manifest may lower.
SHARES = ("malformed", "resent", "changed", "twins", "ordered")


class MixTable(Strict, frozen=True, forbid_unknown_fields=True):
    """The largest shares of a scenario's mix, between 0 and 1: 0 for events that the target never receives."""

    malformed: float = 1.0  # events that it refuses: another program has checked them before
    resent: float = 1.0  # events that a client sends again regardless of the response
    changed: float = 1.0  # ids that a client sends again with other contents
    twins: float = 1.0  # equal contents under another id
    ordered: float = 1.0  # events sent one after another within an organization

    def mistakes(self) -> Iterator[str]:
        """Sentences on shares that are none."""
        for name in SHARES:
            if not 0 <= (share := getattr(self, name)) <= 1:
                yield f"expected mix.{name} between 0 and 1, got {share}: write 0 to leave such events out"
