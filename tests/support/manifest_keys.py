"""The keys of a manifest, as the rows of the tables in docs/contract.md begin."""

from __future__ import annotations

from typing import Any

import msgspec

from shaketable.event.table import EventTable, ResponseId
from shaketable.load.batch import Batch
from shaketable.stack import service
from shaketable.target import (
    breaker_log,
    ingest_table,
    manifest,
    metrics_table,
    mix_table,
    outbound_table,
    source_tables,
    traces_table,
)
from tools.make_docs import named, unit

#: The parts of a manifest, in the order of the contract.
SECTIONS: list[type[msgspec.Struct]] = [
    manifest.Manifest,
    EventTable,
    ResponseId,
    ingest_table.Ingest,
    Batch,
    manifest.Process,
    source_tables.Stored,
    source_tables.DeadLetters,
    source_tables.DeadLetterKey,
    source_tables.Queue,
    source_tables.QueueKey,
    source_tables.Counted,
    breaker_log.Breaker,
    metrics_table.MetricsTable,
    mix_table.MixTable,
    outbound_table.Outbound,
    traces_table.Traces,
    service.Service,
    service.ServiceProbe,
    manifest.Timing,
    manifest.Capabilities,
]


def row(field: msgspec.structs.FieldInfo) -> str:
    """One key of a manifest."""
    default = "required" if field.required else written(field.default, field.default_factory)
    return f"| `{field.encode_name}` | {named(field.type)} | {default} | {unit(field.encode_name, field.type)} |"


def written(default: Any, factory: Any) -> str:
    """A manifest's default as TOML; what may be left out and then is not there: absent."""
    if isinstance(default, msgspec.Struct):
        return "its own defaults"
    if default is msgspec.NODEFAULT:
        return f"`{'{}' if factory is dict else '[]'}`"
    if default is None:
        return "absent"
    return f"`{msgspec.json.encode(default).decode()}`"
