"""shaketable loads an event processor, injects faults and checks event by event that nothing was lost.

The rooms, lowest first. A room imports only from the rooms below it; `make lint` holds that.

- at the root: `errors`, `clock`, `event`, `op`, `text`, `registry`, `resources`, `plural`, `exit_code`, `files`,
  `libpq`, `rundir`
- `load`: the schedule, and the Locust process that sends it
- `stack`: PostgreSQL, Valkey and Toxiproxy, and the processes of a run
- `target`: the processor under test, as its manifest describes it
- `faults`: what can go wrong, and the injector that plays a timeline of it
- `evidence`: what a run records, and the history read from it
- `checks`: the laws, and the verdict
- `runner`: a scenario, phase by phase
- `results`: verdicts as files, and the comparison of two of them
- `report`: what people see of a run
- `compare`: several targets under the same scenarios
- `doctor`: tries each endpoint of a target
- `cli`: the command line; `pytest_plugin` does the same for a test suite
"""
