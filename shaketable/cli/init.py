"""`shaketable init`: write a processor to start from. Raises InputError rather than overwrite a file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from shaketable.errors import InputError

#: The files to write: a manifest, and the processor that it describes.
FILES = ("target.toml", "processor.py")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; created if missing.")],
) -> int:
    """Write a small working processor and its manifest as a starting point. Existing files are never overwritten."""
    if there := [name for name in FILES if (folder / name).exists()]:
        raise InputError(
            f"{folder} has a {' and a '.join(there)} already, and files are never overwritten: name a new folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            with (folder / name).open("x", encoding="utf-8") as out:
                out.write((resources.files("shaketable") / "starter" / name).read_text(encoding="utf-8"))
    except OSError as e:
        raise InputError(f"expected a folder to write {' and '.join(FILES)} into, got {folder}: {e.strerror}") from e
    manifest = folder / "target.toml"
    print(
        f"wrote {manifest} and {folder / 'processor.py'}: a working processor to start from\n\n"
        f"shaketable doctor --target {manifest}              # tests each of its endpoints\n"
        f"shaketable run calm --target {manifest}            # no faults\n"
        f"shaketable run postgres_outage --target {manifest} # its database is unavailable for 15 s"
    )
    return 0
