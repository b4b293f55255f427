"""`shaketable init`: write a processor to start from. Raises InputError rather than overwrite a file."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from shaketable.errors import InputError
from shaketable.event import pointer

#: The files to write: a manifest, and the processor that it describes.
FILES = ("target.toml", "processor.py")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; created if missing.")],
    event: Annotated[
        Path | None,
        typer.Option(metavar="SCHEMA", help="A JSON Schema: write a processor of such events instead of audit events."),
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="POINTER", help="Where the id is in an event, such as /order/id.")
    ] = None,
) -> int:
    """Write a small working processor and its manifest as a starting point. Existing files are never overwritten."""
    files = _own_files(event, id_) if event else {name: _starter(name) for name in FILES}
    if id_ and not event:
        raise InputError("--id is for --event SCHEMA: name the schema, too")
    if there := [name for name in files if (folder / name).exists()]:
        raise InputError(
            f"{folder} has a {' and a '.join(there)} already, and files are never overwritten: name a new folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8") as out:
                out.write(text)
    except OSError as e:
        raise InputError(f"expected a folder to write {' and '.join(files)} into, got {folder}: {e.strerror}") from e
    manifest = folder / "target.toml"
    print(
        f"wrote {manifest} and {folder / 'processor.py'}: a working processor to start from\n\n"
        f"shaketable doctor --target {manifest}              # tests each of its endpoints\n"
        f"shaketable run calm --target {manifest}            # no faults\n"
        f"shaketable run postgres_outage --target {manifest} # its database is unavailable for 15 s"
    )
    return 0


def _starter(name: str) -> str:
    return (resources.files("shaketable") / "starter" / name).read_text(encoding="utf-8")


def _own_files(schema: Path, id_: str | None) -> dict[str, str]:
    """The files for events of a schema: its id is found, and written into both."""
    from shaketable.cli import own_event

    table = own_event.table(schema, id_)
    manifest = _starter("own_event.toml").replace('id = "/id"', f"id = {json.dumps(table.id)}")
    manifest = manifest.replace('id_format = "uuid"', f"id_format = {json.dumps(table.id_format)}")
    place = f"ID = {pointer.steps(table.id)!r}"
    return {
        "target.toml": manifest,
        "processor.py": _starter("own_event.py").replace('ID = ("id",)', place),
        "event.schema.json": schema.read_text(encoding="utf-8"),
    }
