"""The kinds of events: the audit event, and a target's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from shaketable.event import audit, ids
from shaketable.event.own import OwnEvent
from shaketable.event.table import EventTable


class EventKind(Protocol):
    """How the events of a target are parsed, identified and compared."""

    def key(self, event_id: str) -> str:
        """The form in which ids are compared."""

    def parse(self, text: bytes | str) -> dict[str, Any]:
        """Read an event as sent or stored. Raises ValueError unless it is a JSON object."""

    def contents(self, body: bytes) -> dict[str, Any]:
        """The top-level members without the id, as comparable values. Raises ValueError as `parse` does."""

    def same(self, sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = ()) -> list[str]:
        """The paths of differing members, never their values; `adds` names members that the target adds."""


class AuditEvent:
    """The audit event of contract 1."""

    def key(self, event_id: str) -> str:
        return ids.normal(event_id)

    def parse(self, text: bytes | str) -> dict[str, Any]:
        return audit.parse(text)

    def contents(self, body: bytes) -> dict[str, Any]:
        return audit.canonical({**audit.parse(body), "eventId": None})

    def same(self, sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = ()) -> list[str]:
        return audit.same(sent, stored, adds)


def of(table: EventTable | None) -> EventKind:
    """The kind of a manifest's [event]; without one, the audit event."""
    return AuditEvent() if table is None else OwnEvent(table)
