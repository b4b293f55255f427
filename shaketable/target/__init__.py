"""The target: the event processor under test.

`manifest` describes it, with `ingest_table` for its intake and `strict` as the base of its tables; `roles` name its
processes for scenarios, `settings` pass a scenario's values to it, `environments` hold its dependencies, and `target`
starts and stops it. `bounded_http` bounds each of its answers, and `shown_clock` reads the time in them.
`dead_letters` reads dead letters over HTTP; `stored_rows` turns rows into events; `transitions` reads the transitions
of its breakers.
"""
