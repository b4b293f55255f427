"""The store of finished cells: a folder, or any store that fsspec supports, with one archive for each digest."""

from __future__ import annotations

import gzip
import secrets
import tarfile
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from shaketable import rundir
from shaketable.errors import HarnessError, InputError

#: Folders of the store: cells with a verdict, cells without one, and inputs.
CELLS, UNJUDGED, INPUTS = "cells", "unjudged", "inputs"


class ResultStore:
    """Archives of folders by name. Other users of the machine cannot read a local store that it made."""

    def __init__(self, url: str) -> None:
        """Open the store. Raises InputError for a URL that fsspec cannot open."""
        try:
            fs, self._root = fsspec.core.url_to_fs(url)
            self._fs: Any = fs
            made = not self._fs.exists(self._root)
            for name in ("", CELLS, UNJUDGED, INPUTS):
                self._fs.makedirs(self._path(name), exist_ok=True)
        except (ImportError, ValueError, OSError) as e:
            raise InputError(f"expected --results as a folder or a URL of fsspec, got {url!r}: {e}") from e
        if made and "file" in self._protocols():
            Path(self._root).chmod(rundir.PRIVATE)

    def has(self, name: str) -> bool:
        """Whether the archive is complete and there."""
        self._fs.invalidate_cache()
        return bool(self._fs.exists(self._path(name)))

    def put(self, name: str, folder: Path) -> None:
        """Archive the folder. A reader finds all of it or nothing."""
        part = self._path(f"{name}.{secrets.token_hex(4)}.part")
        with (
            self._fs.open(part, "wb") as out,
            gzip.open(out, "wb", compresslevel=1) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            archive.add(folder, arcname=".")
        self._fs.mv(part, self._path(name))

    def get(self, name: str, folder: Path) -> None:
        """Extract an archive into the folder, for this user only. Raises HarnessError for one that leads elsewhere."""
        with self._fs.open(self._path(name), "rb") as told, tarfile.open(fileobj=told, mode="r|gz") as archive:
            archive.extraction_filter = lambda member, _: member  # Python has filters since 3.11.4
            for member in archive:
                _check(member, name)
                archive.extract(member, folder, set_attrs=False)
        for path in [folder, *folder.rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(rundir.PRIVATE)

    def remove(self, name: str) -> None:
        """Remove an archive, if it is there."""
        if self.has(name):
            self._fs.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}{'.tar.gz' * ('/' in name)}"

    def _protocols(self) -> tuple[str, ...]:
        told = self._fs.protocol
        return (told,) if isinstance(told, str) else tuple(told)


def _check(member: tarfile.TarInfo, archive: str) -> None:
    """Refuse what an archive of a folder cannot hold: others may write to a store."""
    places = [PurePosixPath(member.name), *[PurePosixPath(member.linkname)] * member.issym()]
    outside = any(place.is_absolute() or ".." in place.parts for place in places)
    if outside or not (member.isreg() or member.isdir() or member.issym()):
        raise HarnessError(f"the archive {archive} of the store leads elsewhere, at {member.name!r}: remove it")
