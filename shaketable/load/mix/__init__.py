"""A mix: the kinds of events and their shares. The corpus provides their shapes."""

from __future__ import annotations

from dataclasses import dataclass, fields

from shaketable.errors import ScenarioError

SHARES = ("malformed", "resent", "changed", "twins", "ordered", "sized", "numeric", "month_ends", "everyday", "hot")


@dataclass(frozen=True)
class Mix:
    """Shares of all events, between 0 and 1, spread evenly over the schedule."""

    #: Share of events that the contract refuses, or may refuse.
    malformed: float = 0.02
    #: Share of deliberate resends regardless of the response: in turn at once, after the acknowledgement, once the
    #: target has drained, at some time in the rest of the load, or with the id in other letter case.
    resent: float = 0.02
    #: Share whose id is sent again with other contents, after the acknowledgement; none if `resent` is 0.
    changed: float = 0.01
    #: Share with a new id and the contents of an earlier event.
    twins: float = 0.01
    #: Share sent one after another within an organization, so that real-time order is known.
    ordered: float = 0.1
    #: Share of well-formed events around powers of two and the limit that a target announces (ingest.max_bytes).
    sized: float = 0.01
    #: Share of well-formed events with numbers that a double does not hold, if the target says how it keeps them.
    numeric: float = 0.01
    #: Share of well-formed events at the ends of months, month after month: a processor that partitions creates them.
    month_ends: float = 0.0
    #: Share of well-formed events of the everyday kinds, in turn; the others have hostile shapes.
    everyday: float = 0.0
    #: Share of the independent events that the organization `schedule.HOT` sends.
    hot: float = 0.0
    #: Number of ordered organizations.
    ordered_organizations: int = 5
    #: Number of ordered events in a row that are of one organization: above 1, neighbours meet in one batch.
    ordered_run: int = 1
    #: Number of other organizations.
    organizations: int = 50
    #: Number of hostile shapes that Hypothesis draws; they are reused under new ids.
    shapes: int = 500

    def __post_init__(self) -> None:
        for name in SHARES:
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ScenarioError(
                    f"expected a mix's {name} between 0 and 1, got {share}: 0.02 means two in a hundred"
                )
        for name in ("ordered_organizations", "ordered_run", "organizations", "shapes"):
            if getattr(self, name) < 1:
                raise ScenarioError(f"expected a mix's {name} to be at least 1, got {getattr(self, name)}: raise it")


def parse(text: str) -> Mix:
    """Read `malformed=0.05,resent=0.02`. Raises ScenarioError naming the part that cannot be read."""
    kinds = {field.name: float if field.name in SHARES else int for field in fields(Mix)}
    given: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in kinds:
            raise ScenarioError(
                f"expected a mix's setting, got {part!r}: name one of {', '.join(kinds)}, as malformed=0.05"
            )
        try:
            given[name] = kinds[name](value)
        except ValueError as e:
            raise ScenarioError(f"expected a number for a mix's {name}, got {value!r}: write {name}=0.05 or so") from e
    return Mix(**given)  # type: ignore[arg-type]  # each value was made by its field's own kind
