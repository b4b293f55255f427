"""An exploration as its reports see it: played by this process, or merged from the shares of several workers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from shaketable.explore.coverage import Coverage
from shaketable.explore.found import Found
from shaketable.explore.progress import ExplorationProgress
from shaketable.target.manifest import Manifest


class Explored(Protocol):
    """The target, the folder of findings, and what was found so far."""

    @property
    def manifest(self) -> Manifest: ...
    @property
    def out(self) -> Path: ...
    @property
    def progress(self) -> ExplorationProgress: ...
    @property
    def found(self) -> list[Found]: ...
    @property
    def coverage(self) -> Coverage: ...
