"""The kinds of events: the audit event, and a target's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from shaketable.event import audit, ids
from shaketable.event.own import OwnEvent
from shaketable.event.table import EventTable, Numbers


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

    def differences(
        self, sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = ()
    ) -> list[tuple[str, str]]:
        """The paths as in `same`, each with the kind of its difference, or ""."""


class AuditEvent:
    """The audit event of contract 1; `exact` compares each digit of its numbers."""

    def __init__(self, exact: bool = False) -> None:
        self._exact = exact

    def key(self, event_id: str) -> str:
        return ids.normal(event_id)

    def parse(self, text: bytes | str) -> dict[str, Any]:
        return audit.parse(text, self._exact)

    def contents(self, body: bytes) -> dict[str, Any]:
        return audit.canonical({**self.parse(body), "eventId": None}, self._exact)

    def same(self, sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = ()) -> list[str]:
        return [path for path, _ in self.differences(sent, stored, adds)]

    def differences(
        self, sent: Mapping[str, Any], stored: Mapping[str, Any], adds: Collection[str] = ()
    ) -> list[tuple[str, str]]:
        return audit.differences(sent, stored, adds, self._exact)


def of(table: EventTable | None, numbers: Numbers | None = None) -> EventKind:
    """The kind of a manifest's [event]; without one, the audit event, with `numbers` as capabilities.numbers claims."""
    return AuditEvent(numbers == "exact") if table is None else OwnEvent(table)
