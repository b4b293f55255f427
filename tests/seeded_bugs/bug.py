"""A seeded bug: the reference with one defect, the check that must catch it, the scenario that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
REFERENCE = HERE.parent.parent / "reference_impl" / "target.toml"


@dataclass(frozen=True)
class Bug:
    """What a bug's file says of itself."""

    caught_by: str  # the name of a check
    shown_by: str  # a scenario's name, or a file in `scenarios/` here
    shipped: str = ""  # the scenario of the package that shows it too, where `shown_by` is a file here
    because: str = ""  # what the check must say, where it judges by several rules
    claims: tuple[str, str] = ("", "")  # a text of the reference's manifest, and what the bug's has in its place
    in_ci: bool = False  # one for each check: nightly, by itself; the others are run by `make prove` alone


def manifest(bug_file: Path, folder: Path, *more: Path, claims: tuple[str, str] = ("", "")) -> Path:
    """The reference's manifest with the bug's file in place of the reference, and its claims, written to `folder`.

    With `more`: all of these bugs at once, each in every process.
    """
    files = ",".join(str(file) for file in (bug_file, *more))
    program = f'"{HERE / "together.py"}", "{files}"' if more else f'"{bug_file}"'
    told = REFERENCE.read_text().replace('cwd = ".."', f'cwd = "{HERE.parent.parent}"')
    told = told.replace('"-m", "reference_impl"', program)
    told = told.replace('name = "reference"', f'name = "{bug_file.stem}"')
    assert claims[0] in told, claims[0]
    told = told.replace(*claims) if claims[0] else told
    assert told.count(str(bug_file)) == 3, "setup, ingest and worker must all run the bug"
    path = folder / f"{bug_file.stem}.toml"
    path.write_text(told)
    return path
