"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `not claimed`: the manifest does not claim it, so it is not judged.
State = Literal["ok", "wrong", "not claimed"]


@dataclass(frozen=True)
class DoctorResult:
    """The tested property, the finding, the remedy, and the section of the documentation."""

    state: State
    what: str
    found: str
    remedy: str = ""
    section: str = ""  # of docs/contract.md

    def __str__(self) -> str:
        remedy = f": {self.remedy}" if self.remedy else ""
        where = f" (docs/contract.md, {self.section})" if self.section else ""
        return f"{self.state:<12} {self.what}: {self.found}{remedy}{where}"


def ok(what: str, found: str) -> DoctorResult:
    """The target follows the contract."""
    return DoctorResult("ok", what, found)


def wrong(what: str, found: str, remedy: str, section: str) -> DoctorResult:
    """The target violates the contract."""
    return DoctorResult("wrong", what, found, remedy, f'"{section}"')


def not_claimed(what: str, found: str) -> DoctorResult:
    """The manifest does not claim it."""
    return DoctorResult("not claimed", what, found)
