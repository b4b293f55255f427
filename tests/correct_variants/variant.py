"""Correct variants of the reference: `variant.py NAME COMMAND` runs it as one of them.

Each keeps every promise of the reference, and differs in its pace, its shape or its timing from what the scenarios were
tuned to. A variant may be unknown where a run is too short for it; failed is a false alarm.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

from reference_impl import __main__ as reference
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store
from tests.seeded_bugs.bug import HERE, REFERENCE

#: Seconds before a process of `slow_start` does anything.
START_S = 6.0


@dataclass(frozen=True)
class Variant:
    """How it differs: its environment, other code, and what its manifest then says."""

    environ: Mapping[str, str] = field(default_factory=dict)
    change: Callable[[], object] = lambda: None
    ignores: Sequence[str] = ()  # settings that no scenario can reach


def _a_transaction_each() -> None:
    store = Store.store

    async def each(self: Store, rows: Sequence[Row]) -> BatchResult:
        result = BatchResult()
        for row in rows:
            result.add(await store(self, [row]))
        return result

    Store.store = each  # type: ignore[method-assign]


def _jittered() -> None:
    os.environ["BREAKER_RECOVERY_TIMEOUT_S"] = f"{random.uniform(30, 42):.1f}"


RECOVERY = ("breaker_recovery_s",)
VARIANTS: dict[str, Variant] = {
    "batches_of_one": Variant({"BATCH_SIZE": "1"}),
    "one_lane": Variant({"CONCURRENCY": "1"}),
    "a_transaction_each": Variant(change=_a_transaction_each),
    "jittered_recovery": Variant(change=_jittered, ignores=RECOVERY),
    "slow_recovery": Variant({"BREAKER_RECOVERY_TIMEOUT_S": "30"}, ignores=RECOVERY),
    "slow_start": Variant(change=lambda: time.sleep(START_S)),
}


def target(name: str, folder: Path) -> Path:
    """The manifest of a variant, written to `folder`."""
    told = REFERENCE.read_text().replace('cwd = ".."', f'cwd = "{HERE.parent.parent}"')
    told = told.replace('"-m", "reference_impl"', f'"{Path(__file__).resolve()}", "{name}"')
    told = told.replace('name = "reference"', f'name = "{name}"')
    for setting in VARIANTS[name].ignores:
        told = re.sub(rf"(?m)^{setting} = .*\n", "", told)
    path = folder / f"{name}.toml"
    path.write_text(told)
    return path


if __name__ == "__main__":
    variant = VARIANTS[sys.argv.pop(1)]
    os.environ.update(variant.environ)
    variant.change()
    sys.exit(reference.main())
