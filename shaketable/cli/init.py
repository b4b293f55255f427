"""`shaketable init`: write a processor to start from. Raises InputError rather than overwrite a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from shaketable import resources
from shaketable.cli import starts
from shaketable.errors import InputError
from shaketable.event.table import EventTable

#: The files for audit events: a manifest, and the processor that it describes.
FILES = ("target.toml", "processor.py")
#: The kind of processor of a user's own events, if none is named.
DEFAULT = "fastapi"
#: The schema of the events, if none is named, and what the manifest says of them.
ORDERS = "alternatives/order_service/order.schema.json"
ORDER = EventTable(id="/order/id", schema="event.schema.json", id_format="ORD-{uuid}", order_by="/customer/id")

Kind = StrEnum("Kind", {name: name for name in starts.KINDS})  # type: ignore[misc]  # its members are a table's keys


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; created if missing.")],
    kind: Annotated[
        Kind | None,
        typer.Option(help="Write an HTTP service and a worker in Python, Node.js or Go; without --event, of orders."),
    ] = None,
    event: Annotated[
        Path | None,
        typer.Option(metavar="SCHEMA", help="A JSON Schema: write a processor of such events."),
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="POINTER", help="Where the id is in an event, such as /order/id.")
    ] = None,
    node: Annotated[bool, typer.Option("--node", help="The same as --kind express.")] = False,
) -> int:
    """Write a small working processor and its manifest as a starting point. Existing files are never overwritten.

    Without --kind and --event, it is a processor of audit events in Python.
    """
    if node and kind not in (None, "express"):
        raise InputError(f"--node is --kind express, and --kind {kind} is another: leave one out")
    if id_ and not event:
        raise InputError("--id is for --event SCHEMA: name the schema, too")
    named = "express" if node else str(kind) if kind else DEFAULT if event else None
    files = _own_files(named, event, id_) if named else {name: starts.source(name) for name in FILES}
    if there := [name for name in files if (folder / name).exists()]:
        raise InputError(
            f"{folder} has a {' and a '.join(there)} already, and files are never overwritten: name a new folder"
        )
    _write(folder, files)
    manifest = folder / "target.toml"
    print(
        f"wrote to {folder}: {', '.join(files)}, a working processor to start from\n\n"
        f"shaketable doctor --target {manifest}              # tests each of its endpoints\n"
        f"shaketable run calm --target {manifest}            # no faults\n"
        f"shaketable run postgres_outage --target {manifest} # its database is unavailable for 15 s"
    )
    return 0


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("x", encoding="utf-8") as out:
                out.write(text)
    except OSError as e:
        raise InputError(f"expected a folder to write {' and '.join(files)} into, got {folder}: {e.strerror}") from e


def _own_files(kind: str, schema: Path | None, id_: str | None) -> dict[str, str]:
    """The files for events of a schema, whose id is found; without one, for orders."""
    if schema is None:
        return starts.files(kind, ORDER, resources.find(ORDERS).read_text(encoding="utf-8"))
    from shaketable.cli import own_event

    table = msgspec.structs.replace(own_event.table(schema, id_), schema=ORDER.schema)
    return starts.files(kind, table, schema.read_text(encoding="utf-8"))
