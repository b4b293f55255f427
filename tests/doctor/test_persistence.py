"""A row that is written anew hides when its event was first stored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from shaketable.doctor import persistence
from shaketable.target.manifest import Capabilities
from shaketable.target.source_tables import Stored


@pytest.mark.parametrize(
    ("after", "state"),
    [({"a": "7", "b": "8", "c": "9"}, "ok"), ({"a": "10", "b": "8", "c": "11"}, "wrong")],
)
def test_row_that_is_written_anew_when_its_event_comes_again_is_named(after: dict[str, str], state: str) -> None:
    session = rewriting(after)
    before = [{"event_id": event_id, "xmin": xid} for event_id, xid in (("a", "7"), ("b", "8"), ("z", "1"))]
    (line,) = persistence._written_once(session, before)
    assert line.state == state
    assert set(session.taken) == {"a", "b", "c"}
    assert list(persistence._written_once(session, [{"event_id": "a"}])) == [], "no xmin, no commit time"


def rewriting(after: dict[str, str]) -> Any:
    """A session that has sent a and b; c is its next event, and `after` is then stored."""
    return SimpleNamespace(
        manifest=SimpleNamespace(capabilities=Capabilities(), stored=Stored()),
        kind=SimpleNamespace(key=str),
        taken={"a": b"{}", "b": b"{}"},
        events=SimpleNamespace(new=lambda: ("c", b"{}")),
        post=lambda body, event_id: body,
        accepts=bool,
        seen=lambda condition: condition(),
        stored=lambda: [{"event_id": event_id, "xmin": xid} for event_id, xid in after.items()],
    )
