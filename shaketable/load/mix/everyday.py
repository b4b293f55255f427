"""Everyday shapes: typical events of an audit trail in several kinds and sizes, without hostile contents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from shaketable.load.mix.shape import Expect, Shape

#: Bytes of details of two kinds: an exported response, and an error with its stack.
SMALL, LARGE = 2_000, 24_000

#: By kind: its distinguishing members.
KINDS: dict[str, dict[str, Any]] = {
    "sign-in": {
        "action": "auth.login",
        "status": "success",
        "dataClassification": "INTERNAL",
        "details": {"method": "password", "ip": "192.0.2.17", "mfa": True},
    },
    "failed sign-in": {
        "action": "auth.login",
        "status": "failure",
        "outcomeDescription": "wrong password",
        "dataClassification": "INTERNAL",
        "details": {"attempt": 3, "ip": "198.51.100.4"},
    },
    "record read": {
        "action": "fhir.patient.read",
        "status": "success",
        "targetResourceType": "Patient",
        "targetResourceId": "pat-4711",
        "dataClassification": "PHI",
        "retentionPolicy": "clinical-10y",
    },
    "record changed": {
        "action": "fhir.observation.update",
        "status": "success",
        "targetResourceType": "Observation",
        "targetResourceId": "obs-77",
        "dataClassification": "PHI",
        "retentionPolicy": "clinical-10y",
        "details": {"before": {"value": 7.1}, "after": {"value": 7.4}},
    },
    "attempt": {
        "action": "fhir.patient.delete",
        "status": "attempt",
        "targetResourceType": "Patient",
        "correlationId": "cor-9",
        "dataClassification": "PHI",
    },
    "settings changed": {
        "action": "config.update",
        "status": "success",
        "dataClassification": "CONFIDENTIAL",
        "eventVersion": "1.1",
        "details": {"path": ["limits", "sessions"], "from": 5, "to": 8},
    },
    "export": {
        "action": "data.export",
        "status": "success",
        "dataClassification": "CONFIDENTIAL",
        "ttl": 7_776_000,
        "details": {"rows": 1200, "columns": "c" * SMALL},
    },
    "system error": {
        "action": "system.error",
        "status": "failure",
        "principalId": "system",
        "dataClassification": "PUBLIC",
        "details": {"stack": "at f (x.py:1)\n" * (LARGE // 14)},
    },
}


def shapes(today: date) -> Iterator[Shape]:
    """One shape of each kind for each of the last ten days, numbered from 0."""
    days = [f"{today - timedelta(days=ago)}T08:30:00Z" for ago in range(1, 11)]
    cases = [
        (why, {"timestamp": day, "principalId": f"user-{n}"} | members)
        for n, day in enumerate(days)
        for why, members in KINDS.items()
    ]
    for number, (why, body) in enumerate(cases):
        yield Shape(number, Expect.ACCEPT, why, body=body, everyday=True)
