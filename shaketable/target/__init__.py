"""The target: the event processor under test.

`manifest` describes it, with `ingest_table` for its intake, `source_tables` for the places where events are read,
`mix_table` for events that it never receives, `metrics_table` for its counters, `outbound_table` for deliveries to the
harness's `receiver`, `traces_table` for spans to its `span_receiver`, both on a `body_server`, and `strict` as the base
of its tables; `contradictions` and `unknown_key` say what is wrong in it. `roles` name its processes for scenarios,
`settings` pass a scenario's values to it, `services` lead it to what its stack provides, by `variables`, `environments`
hold its dependencies, and `target` starts and stops it, each process an `instance`; `clients` is the link of those that
send, and `plain_load` a load without a run. `bounded_http` bounds each of its answers, and `shown_clock` reads the time
in them. `readers` read stored and pending events past every link, where `located` says; `dead_letters` are read over
HTTP, `stored_rows` turns rows into events, `transitions` reads the transitions of its breakers, and `breaker_log` those
that it only logs.
"""
