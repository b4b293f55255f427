"""Evidence: the observations that a run writes into its run directory, and the history read from there.

`recorder` writes ops, `probe` polls health, `backlog`, `counters`, `memory` and `cpu`, `observe` reads the stored rows
and dead letters at the end, `environment` describes the machine, and `durability` the servers' settings. `again` is the
command that repeats the run; `history` reads all of it back in columns.
"""
