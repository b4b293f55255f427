"""One line of the doctor's: a question, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `not claimed`: the manifest does not say it, so nobody judges it.
State = Literal["ok", "wrong", "not claimed"]


@dataclass(frozen=True)
class DoctorResult:
    """What was asked, what was found, what to do about it, and where to read of it."""

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
    """As the contract has it."""
    return DoctorResult("ok", what, found)


def wrong(what: str, found: str, remedy: str, section: str) -> DoctorResult:
    """Otherwise than the contract has it."""
    return DoctorResult("wrong", what, found, remedy, f'"{section}"')


def not_claimed(what: str, found: str) -> DoctorResult:
    """Left out of the manifest."""
    return DoctorResult("not claimed", what, found)
