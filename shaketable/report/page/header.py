"""The header of every page: a verdict, a sentence, and figures as tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Tile:
    """One figure."""

    name: str
    value: str
    tone: str = ""  # bad, good, doubt; "" for a figure without a verdict

    @classmethod
    def counted(cls, name: str, count: int, tone: str = "bad") -> Tile:
        """A number of things that should be 0: with this tone if there are any, else good."""
        return cls(name, f"{count:,}", tone if count else "good")


@dataclass(frozen=True)
class Header:
    """The header; `base.html` draws it, and the page's title from it."""

    verdict: str  # passed, failed, unknown, not judged
    name: str  # what was judged
    sentence: str
    crumbs: Sequence[str] = ()
    when: str = ""
    heading: str = ""  # "": the verdict
    story: str = ""  # how to read the page, or what was tried
    gaps: Sequence[str] = ()  # warnings
    tiles: Sequence[Tile] = ()

    @property
    def title(self) -> str:
        """The verdict and what was judged."""
        return f"{self.heading or self.verdict}: {self.name}"
