"""The reference processor: takes audit events over HTTP, keeps them in Valkey, writes them to PostgreSQL, once each.

The flow, module by module:

- `ingest` takes a request, `intake` decides; `domain` and `event` validate, `canonical` hashes; the organization's
  `preset` is one of the `presets` in force;
- `enqueue` puts it into the `queue` over one shared pipeline (`resp` is its wire protocol) at an `address`;
- a `worker` takes its share of the `lanes` (`recount` makes them more or fewer); each `lane` is fenced by a `lock` in
  the store;
- `row` prepares an entry, `store` commits a batch (`partition` makes months; a `handler` of yours may stand in),
  `isolate` finds poison, `dead_letter` buries it;
- each attempt is one of the `rounds`, which the `breaker` admits; `retry` says when a collision is tried again,
  `sqlstate` what an error means, `watchdog` bounds every call; `transition` writes down what the breaker did;
- `heartbeat` and `vitals` say who lives and how much waits, `health` makes one score of it, `server` tells it with the
  `metrics`, and waits for the `head` of a request only so long; what runs in the background of a process are its
  parts: `part`;
- every five minutes `upkeep` counts the dead letters and puts them into the `archive`; a `graveyard` keeps them,
  `replay` stores one after all, `clerk` and `office` serve the operator; `errand` lends a connection, `alert` tells;
- `retention` drops the months that no policy holds, the `verifier` finds what was changed or lost, by its `evidence`;
- `settings` come from the environment, `database` connects, `migrate` makes the schema, `log` and `errors` say what
  went wrong. `processor` is all of it as a library; `python -m reference_impl` starts it as processes.

It never imports shaketable, and shaketable never imports it: they meet over HTTP, Redis and Postgres only.
"""
