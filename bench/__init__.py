"""Figures of the reference on this machine: `python -m bench` (`make bench`), on a local stack of its own.

- `stage` starts PostgreSQL, Valkey and the reference's processes, and knows what they cost in CPU and memory;
- `events` makes the events; `load` sends them from a process of its own over keep-alive connections;
- `figure` is one measured figure, `meter` what it cost; `rates` measures those of the reference, `ceiling` what this
  machine's PostgreSQL takes at best and one by one, so that the rates can be told as ratios;
- `endurance` sends a million events and watches the memory; `kills` ends workers at random and counts what is left;
- `intake_fuzz` posts `mutants` of events to the intake: no answer of 5xx, and every event answered 202 is stored.

`python -m bench.durability` counts the acknowledged writes that servers lose to a SIGKILL and to a power loss.

`python -m bench.queues` sends the same events through the reference and through task queues, and compares: each is a
`target_stage`, the processes of its manifest. docs/performance.md has the figures.

`python -m bench.checks` (`make bench-checks`) measures the harness instead: check and report on a million events that
`synthetic` makes up, and by `opening` how long a browser takes to draw the page. What is printed is a table; `--json
FILE` writes the same for machines.
"""
