"""shaketable loads an event processor, injects faults and checks event by event that nothing was lost.

The public names are those below; `shaketable.faults` and `shaketable.checks` have public names of their own. All other
modules may change in any release.

    from shaketable import At, Load, Mix, Scenario, checks, faults, run, check

The rooms, lowest first. A room imports only from the rooms below it; `make lint` holds that.

- at the root: `errors`, `clock`, `event`, `op`, `text`, `registry`, `resources`, `plural`, `exit_code`, `files`,
  `libpq`, `rundir`
- `load`: the schedule, and the Locust process that sends it
- `stack`: PostgreSQL, Valkey and Toxiproxy, and the processes of a run
- `target`: the processor under test, as its manifest describes it
- `faults`: the kinds of faults, and the injector that plays a timeline of them
- `evidence`: the observations that a run records, and the history read from them
- `checks`: the laws, and the verdict
- `runner`: a scenario, phase by phase
- `results`: verdicts as files, and the comparison of two of them
- `report`: a run at the terminal, in the browser and in CI
- `cells`: runs that are played by Dask's workers, on this machine or on others
- `compare`: several targets under the same scenarios
- `crash_points`: breaks a target at each message that it exchanges with a service
- `capacity`: searches for the highest rate that a target sustains
- `explore`: searches for the faults that break a target
- `doctor`: tries each endpoint of a target
- `api`: the public functions, run and check
- `cli`: the command line, and `__main__` runs it; `pytest_plugin` does the same for a test suite
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shaketable import checks, faults
    from shaketable.api import check, run
    from shaketable.faults.timeline import At
    from shaketable.load.mix import Mix
    from shaketable.load.schedule import Load
    from shaketable.runner.scenario import Scenario

__all__ = ["At", "Load", "Mix", "Scenario", "check", "checks", "faults", "run"]

#: Where each name is; imported at its first use, so that the command line starts fast.
_HOMES = {
    "At": "shaketable.faults.timeline",
    "Load": "shaketable.load.schedule",
    "Mix": "shaketable.load.mix",
    "Scenario": "shaketable.runner.scenario",
    "check": "shaketable.api",
    "run": "shaketable.api",
}


def __getattr__(name: str) -> object:
    if name in ("checks", "faults"):
        return importlib.import_module(f"shaketable.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'shaketable' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
